import { createTransport } from 'nodemailer'
import { isLoopback } from './loopback.ts'

/** One address; never a string that could hold two. */
export interface Mailbox {
  name: string
  address: string
}

export interface Mail {
  /** Becomes the Message-ID: a mail that is sent twice after a crash can be told by it. */
  id: string
  to: Mailbox
  subject: string
  text: string
  html: string
}

/** The mail server did not take a mail; the cause says why. */
export class MailError extends Error {
  override readonly name = 'MailError'
}

export interface Mailer {
  /** @throws {MailError} in time, whatever the server does; what was not sent by then is not sent later. */
  send(mail: Mail): Promise<void>
  /** Connects and signs in, and sends nothing. @throws {MailError} */
  check(): Promise<void>
  close(): void
}

const SEND_TIMEOUT_MS = 10_000

/**
 * Sends by SMTP. Certificates are checked; without TLS only to this machine itself, or where the URL says
 * `ignoreTLS=true`.
 *
 * @param from who the mail is from; its domain is that of the Message-IDs.
 * @param timeoutMs how long a mail may take from the connection to the server's last word.
 */
export function makeMailer({
  url,
  from,
  timeoutMs = SEND_TIMEOUT_MS,
}: {
  url: string
  from: Mailbox
  timeoutMs?: number
}): Mailer {
  const { hostname, searchParams } = new URL(url)
  const transport = createTransport(
    {
      url,
      // A server that goes silent must not keep a connection, and with it the process, for minutes.
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      // nodemailer lets this one win over ignoreTLS.
      requireTLS: !isLoopback(hostname) && searchParams.get('ignoreTLS') !== 'true',
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  )
  const domain = from.address.split('@')[1]

  return {
    async send({ id, to, subject, text, html }) {
      const sending = transport.sendMail({
        signal: AbortSignal.timeout(timeoutMs),
        messageId: `<${id}@${domain}>`,
        to,
        // The envelope is given whole, so that no header decides who gets the mail.
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
    async check() {
      const timeout = new Promise<never>((_resolve, reject) => {
        setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs).unref()
      })
      await Promise.race([transport.verify(), timeout]).catch((cause) => {
        throw new MailError('The mail server does not take us', { cause })
      })
    },
    close: () => transport.close(),
  }
}
