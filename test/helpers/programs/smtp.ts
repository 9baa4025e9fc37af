import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerError, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { Test } from 'tap'

/** A mail as it came over the wire: the envelope, and what the message says. */
export interface ReceivedMail {
  from: string
  /** Every recipient of the envelope, as it was written in its command. */
  to: string[]
  /** Whether the connection was encrypted. */
  secure: boolean
  raw: string
  message: Email
  text: string
  html: string
}

/** The latest mail to an address under this subject. Another process may send others in between. */
export function lastMailTo(
  { mails }: Pick<MailServer, 'mails'>,
  address: string,
  subject: RegExp,
): ReceivedMail | undefined {
  return mails.findLast(({ to, message }) => to.includes(address) && subject.test(message.subject ?? ''))
}

type Stage = 'connect' | 'rcpt' | 'data'

/** What a mail server does wrong; one that does nothing wrong has none of these. */
export interface Behaviour {
  refuse?: [stage: Stage, code: number]
  /** Refuses at `rcpt` only this recipient. */
  recipient?: string
  /** Never answers there. */
  hang?: Stage
  /** Closes the connection there. */
  drop?: Stage
  /** Accepts a message only after this. */
  after?: Promise<unknown>
}

/** A real mail server on a port of its own. */
export interface MailServer {
  port: number
  url: string
  /** What it accepted, oldest first. */
  mails: ReceivedMail[]
  /** From the next connection on. */
  behave(behaviour: Behaviour): void
  /** How many connections are open. */
  connections(): number
  /** Waits until it has accepted so many mails in all. */
  waitFor(count: number): Promise<void>
}

/** As it is, but for its wait of 100 ms for clients that talk before they are greeted: one for each mail of each test. */
SMTPConnection.prototype.init = function init(this: SMTPConnection) {
  this._setListeners(() => this.connectionReady())
}

/** @param tls a certificate and its key; without them it speaks in clear. */
export async function startMailServer(
  t: Test,
  { tls, ...options }: SMTPServerOptions & { tls?: { cert: string; key: string } } = {},
): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const arrivals = new EventEmitter()
  let behaviour: Behaviour = {}

  // The server itself decodes and folds addresses before it tells of them.
  const recipients = new Map<string, string[]>()
  const ignore = () => {}
  function noteRecipient({ cid = '' }: { cid?: string }, direction: string, line = ''): void {
    const [, address] = /^RCPT TO:<(.*)>/.exec(direction === 'C:' ? line : '') ?? []
    if (address !== undefined) recipients.set(cid, [...(recipients.get(cid) ?? []), address])
  }

  function at(stage: Stage, session: SMTPServerSession, proceed: (error?: Error) => void): void {
    const { refuse, hang, drop } = behaviour
    if (hang === stage) return
    if (drop === stage) closeConnection(server, session)
    else if (refuse?.[0] === stage) proceed(refusal(refuse[1]))
    else proceed()
  }

  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 50,
    logger: { info: ignore, error: ignore, debug: noteRecipient },
    ...(tls ?? { disabledCommands: ['STARTTLS'] }),
    ...options,
    onConnect: (session, callback) => at('connect', session, callback),
    onRcptTo: ({ address }, session, callback) =>
      (behaviour.recipient ?? address) === address ? at('rcpt', session, callback) : callback(),
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () =>
        at('data', session, async (error) => {
          if (error) return callback(error)
          await behaviour.after
          mails.push(await received(session, recipients.get(session.id) ?? [], Buffer.concat(chunks)))
          arrivals.emit('mail')
          callback()
        }),
      )
    },
  })
  // A client that goes away in the middle is what some tests are about.
  server.on('error', () => {})
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))

  const { port } = listener.address() as AddressInfo
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    behave: (next) => {
      behaviour = next
    },
    connections: () => server.connections.size,
    async waitFor(count) {
      while (mails.length < count) await once(arrivals, 'mail')
    },
  }
}

async function received(session: SMTPServerSession, to: string[], raw: Buffer): Promise<ReceivedMail> {
  const { mailFrom } = session.envelope
  const message = await PostalMime.parse(raw)
  return {
    from: mailFrom ? mailFrom.address : '',
    to,
    secure: session.secure,
    raw: raw.toString(),
    message,
    text: message.text ?? '',
    html: message.html ?? '',
  }
}

function refusal(code: number): SMTPServerError {
  return Object.assign(new Error('refused by the test'), { responseCode: code })
}

function closeConnection(server: SMTPServer, { id }: SMTPServerSession): void {
  for (const connection of server.connections) if (connection.id === id) connection.close()
}

export const MAIL_FROM = 'Keyturn <keyturn@example.com>'

/** The environment of a service that mails through this server. */
export function mailing(smtp: Pick<MailServer, 'url'>): Record<string, string> {
  return { SMTP_URL: smtp.url, MAIL_FROM }
}
