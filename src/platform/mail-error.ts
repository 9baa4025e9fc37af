/** The mail server did not accept a mail. The cause says why. */
export class MailError extends Error {
  override readonly name = 'MailError'
  /** Whether the server has refused this recipient or this message for good (RFC 5321 section 4.2.1): not to be tried again. */
  readonly final: boolean

  constructor(message: string, { cause }: { cause: unknown }) {
    super(message, { cause })
    const { command = '', responseCode = 0 } = (cause ?? {}) as { command?: string; responseCode?: number }
    // What it refuses before that is about this service, and for an operator to mend.
    this.final = responseCode >= 500 && /^(RCPT TO|DATA)$/.test(command)
  }
}
