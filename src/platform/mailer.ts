import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'

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
  /** @throws {MailError} within {@link SEND_TIMEOUT_MS}, whatever the server does. */
  send(mail: Mail): Promise<void>
  close(): void
}

export const SEND_TIMEOUT_MS = 10_000

/**
 * Sends by SMTP. Certificates are checked; without TLS only to this machine itself, or where the URL says
 * `ignoreTLS=true`.
 *
 * @param from who the mail is from; its domain is that of the Message-IDs.
 */
export function makeMailer({ url, from }: { url: string; from: Mailbox }): Mailer {
  const { hostname } = new URL(url)
  const transport = createTransport(
    {
      url,
      requireTLS: !isLoopback(hostname),
      connectionTimeout: SEND_TIMEOUT_MS,
      greetingTimeout: SEND_TIMEOUT_MS,
      socketTimeout: SEND_TIMEOUT_MS,
      dnsTimeout: SEND_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  )
  const domain = from.address.split('@')[1]

  return {
    async send({ id, to, subject, text, html }) {
      const sending = transport.sendMail({
        messageId: `<${id}@${domain}>`,
        to,
        // The envelope is given whole, so that no header decides who gets the mail.
        envelope: { from: from.address, to: [to.address] },
        subject,
        text,
        html,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
      await orTimeout(sending).catch((cause) => {
        throw new MailError('The mail server did not take the mail', { cause })
      })
    },
    close: () => transport.close(),
  }
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

async function orTimeout(sending: Promise<unknown>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('The mail server takes too long')), SEND_TIMEOUT_MS)
  try {
    await Promise.race([sending, promise])
  } finally {
    clearTimeout(timer)
    sending.catch(() => {})
  }
}
