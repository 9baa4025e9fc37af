import { createTransport } from 'nodemailer'
import { isLoopback } from './loopback.ts'

/** One address, and never a string that could hold two. */
export interface Mailbox {
  name: string
  address: string
}

export interface Mail {
  /** Becomes the Message-ID, by which a mail that is sent twice after a crash can be recognised. */
  id: string
  to: Mailbox
  subject: string
  text: string
  html: string
}

/** The mail server did not accept a mail. The cause says why. */
export class MailError extends Error {
  override readonly name = 'MailError'
}

const SEND_TIMEOUT_MS = 10_000

interface MailerParts {
  url: string
  /** The sender; its domain is that of the Message-IDs. */
  from: Mailbox
  /** How long a mail may take, from the connection to the last answer of the server. */
  timeoutMs?: number
}

/**
 * Sends by SMTP. Certificates are checked. TLS is required, except to this machine and where the URL says
 * `ignoreTLS=true`.
 */
export type Mailer = ReturnType<typeof makeMailer>

export function makeMailer({ url, from, timeoutMs = SEND_TIMEOUT_MS }: MailerParts) {
  const { hostname, searchParams } = new URL(url)
  // Longer than the limit of a mail: of two that end together, either one may be reported.
  const silenceMs = timeoutMs + 1_000
  const transport = createTransport(
    {
      url,
      // A server that goes silent must not keep a connection, and with it the process, for minutes.
      connectionTimeout: silenceMs,
      greetingTimeout: silenceMs,
      socketTimeout: silenceMs,
      // With nodemailer, this option wins over ignoreTLS.
      requireTLS: !isLoopback(hostname) && searchParams.get('ignoreTLS') !== 'true',
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  )
  const domain = from.address.split('@')[1]

  return {
    /** @throws {MailError} in time, whatever the server does. What was not sent by then is not sent later. */
    async send({ id, to, subject, text, html }: Mail): Promise<void> {
      const sending = transport.sendMail({
        signal: AbortSignal.timeout(timeoutMs),
        messageId: `<${id}@${domain}>`,
        to,
        // The envelope is given explicitly, so that no header decides who gets the mail.
        envelope: { from: from.address, to: [to.address] },
        subject,
        text,
        html,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
      await sending.catch((cause) => {
        throw new MailError('The mail server did not take the mail', { cause })
      })
    },
    /** Connects and signs in, without sending anything. @throws {MailError} */
    async check(): Promise<void> {
      const timeout = new Promise<never>((_resolve, reject) => {
        setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs).unref()
      })
      await Promise.race([transport.verify(), timeout]).catch((cause) => {
        throw new MailError('The mail server does not take us', { cause })
      })
    },
    close: (): void => transport.close(),
  }
}
