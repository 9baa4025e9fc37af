import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Redis } from 'ioredis'
import { lastProvenAddress } from '../../accounts/list-accounts.ts'
import type { Config } from '../../config.ts'
import { beat } from '../../http/shared-counts.ts'
import { waitingMail } from '../../mail/waiting-mail.ts'
import { type Clock, rfc3339 } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { goesInClear, isEveryAddress, isLoopback } from '../../platform/hosts.ts'
import { makeMailer } from '../../platform/mailer.ts'
import type { Written } from '../../upkeep/latest-times.ts'
import { fail, ok, type Result, warn } from './finding.ts'

/** The time of another clock, and when it was read by this one. Epoch milliseconds. */
export interface ForeignTime {
  whose: string
  theirs: number
  ours: number
  /** For clocks that show whole seconds only. */
  coarse?: true
}

/** NTP keeps clocks much closer. From half a minute on, codes and tokens of another replica are refused. */
const WARN_MS = 5_000
const FAIL_MS = 10_000

const KEEP_RIGHT = 'Keep the clock right by NTP: authenticator codes and tokens depend on it.'
const WAS_AHEAD =
  'Other clocks say that it is right now. Sessions that began while it was ahead end later than they should: end them. A signing key of then is not followed by the next for as long: revoke it.'

/** @param written what this clock must have passed. */
export function checkClock(
  clock: Clock,
  times: readonly ForeignTime[],
  written: readonly Written[],
): Result[] {
  const findings = times.map(({ whose, theirs, ours, coarse }) => {
    const behindMs = theirs - ours
    const off = Math.max(0, Math.abs(behindMs) - (coarse ? 1_000 : 0))
    const words = `this machine is ${(off / 1000).toFixed(1)} s ${behindMs > 0 ? 'behind' : 'ahead of'} ${whose}`
    if (off >= FAIL_MS) return fail(words, KEEP_RIGHT)
    return off >= WARN_MS ? warn(words, KEEP_RIGHT) : ok(`agrees with ${whose}`)
  })
  const isRight = findings.length > 0 && findings.every(({ status }) => status === 'ok')
  const ahead = written
    .filter(({ at }) => at > clock.now() + WARN_MS)
    .map(({ what, at }) => {
      const words = `the last ${what} is still to come: the clock was set back, or was at ${rfc3339(at)} before`
      return isRight ? warn(words, WAS_AHEAD) : fail(words, KEEP_RIGHT)
    })
  const all = [...findings, ...ahead]
  return all.length > 0 ? all : [ok('no other clock to compare it with; no event is dated in the future')]
}

const TIMEOUT_MS = 3_000

/**
 * Checks that clients are distinguished and use TLS, and that the service is reachable at its issuer.
 *
 * @param times gets the time of another machine that answers there.
 */
export async function checkProxy(config: Config, clock: Clock, times: ForeignTime[]): Promise<Result[]> {
  const { issuer, trustProxy, host } = config
  const { protocol, hostname } = new URL(issuer)
  const believed = trustProxy.join(', ')
  const weak = [
    protocol === 'http:' &&
      !isLoopback(hostname) &&
      warn(`ISSUER ${issuer} is without TLS`, 'Put a proxy with TLS before the service.'),
    protocol === 'https:' &&
      !believed &&
      warn(
        'ISSUER is https, and no proxy is trusted: all clients look like one address',
        'Set TRUST_PROXY to the address of the proxy.',
      ),
    isEveryAddress(host) &&
      believed &&
      warn(
        `the service listens on every address, and believes ${believed}`,
        'Make sure that clients can reach it only through the proxy.',
      ),
  ].filter((finding) => typeof finding === 'object')
  if (weak.length === 0) weak.push(ok(believed ? `believes ${believed}` : 'none, and none is needed'))
  return [...weak, ...(await askService(issuer, clock, times))]
}

async function askService(issuer: string, clock: Clock, times: ForeignTime[]): Promise<Result[]> {
  const unreachable = (why: string) => [
    warn(`no service answers at ${issuer}: ${why}`, 'Start it, or look at ISSUER and the proxy.'),
  ]
  try {
    const answer = await fetch(`${issuer}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!answer.ok) return unreachable(`/readyz answers ${answer.status}`)
    const { warnings = [] } = (await answer.json()) as { warnings?: string[] }
    const theirs = Date.parse(answer.headers.get('date') ?? '')
    // The clock of this machine would agree with itself.
    if (!Number.isNaN(theirs) && !isLoopback(new URL(issuer).hostname))
      times.push({ whose: `the server at ${issuer}`, theirs, ours: clock.now(), coarse: true })
    return [
      ok(`a service that is ready answers at ${issuer}`),
      ...warnings.map((sentence) => warn(`it says: ${sentence}`, 'See its log.')),
    ]
  } catch (error) {
    const { message, cause } = error as Error
    return unreachable((cause as Error | undefined)?.message ?? message)
  }
}

const RIGHTS = 'Let its user run scripts (EVAL) and write keyturn:* on a primary that has memory left.'

/** Checks that Redis counts as the service has it count. @param times gets its time. */
export async function checkRedis(
  { redisUrl }: Config,
  clock: Clock,
  times: ForeignTime[],
): Promise<Result[]> {
  if (!redisUrl) return [ok('not used: limits are counted in memory')]
  const url = new URL(redisUrl)
  const { host } = url
  const clear = goesInClear(url, 'redis:')
    ? [warn(`its password and counts go to ${host} in clear text`, 'Use rediss:// without ?tls=off.')]
    : []
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  let lost: Error | undefined
  redis.on('error', (error: Error) => {
    lost = error
  })
  try {
    await redis.connect()
    const [seconds = 0, micros = 0] = await redis.time()
    const theirs = Number(seconds) * 1000 + Number(micros) / 1000
    times.push({ whose: 'Redis', theirs, ours: clock.now() })
    await beat(redis, 'keyturn:replicas:doctor', 'doctor')
    return [ok(`${host} answers, and counts`), ...clear]
  } catch (error) {
    const { message } = lost ?? (error as Error)
    const [found, advice] =
      redis.status === 'ready' ? ['does not count', RIGHTS] : ['does not answer', 'Look at REDIS_URL.']
    return [
      fail(`${host} ${found}: ${message}`, `${advice} Until then each process counts for itself.`),
      ...clear,
    ]
  } finally {
    redis.disconnect()
  }
}

const NO_MAIL = 'no mail server: no one can reset a password, and no owner is told of changes'

const WAITS_TOO_LONG_MS = 10 * 60_000
const MAIL_TIMEOUT_MS = 5_000

/**
 * Checks that the mail server accepts this service, and mail for one of the people (the last one whose address was proven; without
 * one the sender), up to the point where a mail would begin; and that mail does not pile up.
 */
export async function checkMail(config: Config, db: Db, clock: Clock): Promise<Result[]> {
  const { smtpUrl: url, mailFrom: from, issuer } = config
  if (!url || !from) return [warn(NO_MAIL, 'Set SMTP_URL and MAIL_FROM.')]
  const server = new URL(url).host
  const mailer = makeMailer({ url, from, issuer, timeoutMs: MAIL_TIMEOUT_MS })
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
    socket.setTimeout(MAIL_TIMEOUT_MS, () => socket.destroy(new Error('timeout')))
    socket.once('data', (data) => {
      resolve(data.toString())
      socket.end('QUIT\r\n')
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
  })
}
