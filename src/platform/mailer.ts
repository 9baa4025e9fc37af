import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import SMTPTransport, { type SMTPTransportOptions } from 'nodemailer/lib/smtp-transport'
import { isLoopback } from './hosts.ts'
import { MailError } from './mail-error.ts'

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

const SEND_TIMEOUT_MS = 10_000

interface MailerParts {
  url: string
  /** The sender; its domain is that of the Message-IDs. */
  from: Mailbox
  /** Its host is the name that this service greets with. */
  issuer: string
  /** How long a mail may take, from the connection to the last answer of the server. */
  timeoutMs?: number
}

/**
 * Sends by SMTP. Certificates are checked. TLS is required, except to this machine and where the URL says
 * `ignoreTLS=true`.
 */
export type Mailer = ReturnType<typeof makeMailer>

export function makeMailer({ url, from, issuer, timeoutMs = SEND_TIMEOUT_MS }: MailerParts) {
  const { hostname, searchParams } = new URL(url)
  // Longer than the limit of a mail: of two that end together, either one may be reported.
  const silenceMs = timeoutMs + 1_000
  const smtp = new SMTPTransport({
    url,
    name: searchParams.get('name') ?? greetingName(issuer, from),
    // A server that goes silent must not keep a connection, and with it the process, for minutes.
    connectionTimeout: silenceMs,
    greetingTimeout: silenceMs,
    socketTimeout: silenceMs,
    // With nodemailer, this option wins over ignoreTLS.
    requireTLS: !isLoopback(hostname) && searchParams.get('ignoreTLS') !== 'true',
  })
  const transport = createTransport(smtp, { from, disableFileAccess: true, disableUrlAccess: true })
  const domain = from.address.split('@')[1]
  /** The ids of mails that the server has all of, and has yet to answer. */
  const handedOver = new Set<unknown>()
  transport.use('stream', ({ message, data: { messageId } }, done) => {
    message.processFunc((content) => content.once('end', () => handedOver.add(messageId)))
    done()
  })

  return {
    /** @throws {MailError} in time, whatever the server does. What was not sent by then is not sent later. */
    async send({ id, to, subject, text, html }: Mail): Promise<void> {
      const messageId = `<${id}@${domain}>`
      const signal = AbortSignal.timeout(timeoutMs)
      const sending = transport.sendMail({
        signal,
        messageId,
        to,
        // The envelope is given explicitly, so that no header decides who gets the mail.
        envelope: { from: from.address, to: [to.address] },
        subject,
        text,
        html,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
      await sending
        .catch((cause) => {
          const maybeSent = signal.aborted && handedOver.has(messageId)
          throw new MailError('The mail server did not take the mail', { cause, maybeSent })
        })
        .finally(() => handedOver.delete(messageId))
    },
    /**
     * Connects, signs in and asks about a recipient, without sending anything.
     *
     * @returns what the server says where it does not take mail for the recipient.
     * @throws {MailError}
     */
    async check(recipient: string): Promise<string | null> {
      const timeout = new Promise<never>((_resolve, reject) => {
        setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs).unref()
      })
      const asked = askMailServer(smtp.options, { from: from.address, to: recipient })
      return Promise.race([asked, timeout]).catch((cause) => {
        throw new MailError('The mail server does not take us', { cause })
      })
    },
    close: (): void => transport.close(),
  }
}

/** What servers take for a name of ours (RFC 5321 section 4.1.4): the name of a container is none, and many refuse an address. */
function greetingName(issuer: string, from: Mailbox): string {
  const { hostname } = new URL(issuer)
  const isDomain = hostname.includes('.') && !isIP(hostname)
  return isDomain ? hostname : (from.address.split('@')[1] ?? hostname)
}

/** What would be a mail, without the mail. */
interface Question {
  from: string
  to: string
}

/**
 * Connects, signs in and asks whether the server would take a mail for a recipient, without sending one: the sender and the
 * recipient are named, and taken back (RSET).
 *
 * @returns the answer of the server where it does not take the recipient or the sender.
 */
async function askMailServer(
  { auth, authMethod, ...options }: SMTPTransportOptions,
  { from, to }: Question,
): Promise<string | null> {
  let refusal: string | null = null
  const connection = new SMTPConnection({
    ...options,
    // nodemailer's way to send commands of one's own.
    customAuth: {
      ASK: async ({ sendCommand }) => {
        for (const command of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
          const { response, status } = await sendCommand(command)
          if (status >= 400) refusal ??= response
        }
        await sendCommand('RSET')
      },
    },
  })
  const login = promisify(connection.login.bind(connection))
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject)
      connection.once('end', () => reject(new Error('The server closed the connection')))
      const talk = async () => {
        if (auth) await login({ ...auth, ...(authMethod && { method: authMethod }) })
        await login({ user: '', pass: '', method: 'ASK' })
      }
      connection.connect((error) => (error ? reject(error) : void talk().then(resolve, reject)))
    })
    connection.quit()
  } catch (error) {
    connection.close()
    throw error
  }
  return refusal
}
