import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { lastProvenAddress } from '../../accounts/list-accounts.ts'
import type { Config } from '../../config.ts'
import { waitingMail } from '../../mail/waiting-mail.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { makeMailer } from '../../platform/mailer.ts'
import type { ForeignTime } from './clock.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('mail')

const NO_MAIL = 'no mail server: no one can reset a password, and no owner is told of changes'

const WAITS_TOO_LONG_MS = 10 * 60_000
const TIMEOUT_MS = 5_000

/**
 * Checks that the mail server accepts this service, and mail for one of the people (the last one whose address was proven; without
 * one the sender), up to the point where a mail would begin; and that mail does not pile up.
 */
export async function checkMail(config: Config, db: Db, clock: Clock): Promise<Finding[]> {
  const { smtpUrl: url, mailFrom: from, issuer } = config
  if (!url || !from) return [warn(NO_MAIL, 'Set SMTP_URL and MAIL_FROM.')]
  const server = new URL(url).host
  const mailer = makeMailer({ url, from, issuer, timeoutMs: TIMEOUT_MS })
  const taken = await mailer
    .check((await lastProvenAddress(db)) ?? from.address)
    .then((refusal) =>
      refusal === null
        ? ok(`${server} takes mail`)
        : fail(
            `${server} does not take mail from ${from.address} to one of the people: ${refusal}`,
            'Let it relay for this service, and look at MAIL_FROM; if only this mailbox is gone, all is well.',
          ),
    )
    .catch(({ message, cause }: Error) =>
      fail(
        `${server} does not take mail: ${(cause as Error | undefined)?.message ?? message}`,
        'Look at SMTP_URL: host, port, user, password and TLS.',
      ),
    )
    .finally(mailer.close)
  const { count } = await waitingMail(db, clock.now() - WAITS_TOO_LONG_MS)
  if (count === 0) return [taken]
  const advice = 'See the log for why, and that the service runs.'
  return [taken, warn(`${count} mails have waited for more than ten minutes`, advice)]
}

/** RFC 5322 section 3.3, as Exim and Sendmail write it in their greetings. */
const DATE = /\w{3}, {1,2}\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/

/** The time in the greeting of a mail server. Many greetings have none. */
export async function mailServerTime({ smtpUrl }: Config, clock: Clock): Promise<ForeignTime[]> {
  if (!smtpUrl) return []
  const greeting = await readGreeting(new URL(smtpUrl)).catch(() => '')
  const [date] = DATE.exec(greeting) ?? []
  return date ? [{ whose: 'the mail server', theirs: Date.parse(date), ours: clock.now(), coarse: true }] : []
}

function readGreeting({ protocol, hostname, port }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'smtps:'
  const address = { host, port: Number(port) || (secure ? 465 : 587) }
  const socket = secure ? connectTls({ ...address, servername: host }) : connect(address)
  return new Promise((resolve, reject) => {
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('timeout')))
    socket.once('data', (data) => {
      resolve(data.toString())
      socket.end('QUIT\r\n')
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
  })
}
