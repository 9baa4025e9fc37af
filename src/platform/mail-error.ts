/** The mail server did not accept a mail. The cause says why. */
export class MailError extends Error {
  override readonly name = 'MailError'
  /** Whether the server has refused this recipient or this message for good (RFC 5321 section 4.2.1): not to be tried again. */
  readonly final: boolean
  /** Whether the server has the whole message and gave no answer in time: it may deliver it all the same. */
  readonly maybeSent: boolean

  constructor(message: string, { cause, maybeSent = false }: { cause: unknown; maybeSent?: boolean }) {
    super(message, { cause })
    const { command = '', responseCode = 0 } = (cause ?? {}) as { command?: string; responseCode?: number }
    this.maybeSent = maybeSent
    // What it refuses before that is about this service, and for an operator to mend.
    this.final = responseCode >= 500 && /^(RCPT TO|DATA)$/.test(command)
  }
}

/** Whether a mail that failed may arrive all the same: it counts then, and what it holds stays good. */
export const mayArrive = (error: unknown): boolean => error instanceof MailError && error.maybeSent
