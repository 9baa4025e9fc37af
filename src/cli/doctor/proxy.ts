import type { Config } from '../../config.ts'
import type { Clock } from '../../platform/clock.ts'
import { isEveryAddress } from '../../platform/hosts.ts'
import { isLoopback } from '../../platform/loopback.ts'
import type { ForeignTime } from './clock.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn } = findingsOf('proxy')

const TIMEOUT_MS = 3_000

/**
 * Checks that clients are distinguished and use TLS, and that the service is reachable at its issuer.
 *
 * @param times gets the time of another machine that answers there.
 */
export async function checkProxy(config: Config, clock: Clock, times: ForeignTime[]): Promise<Finding[]> {
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
        'See that others reach it through the proxy alone.',
      ),
  ].filter((finding) => typeof finding === 'object')
  if (weak.length === 0) weak.push(ok(believed ? `believes ${believed}` : 'none, and none is needed'))
  return [...weak, ...(await askService(issuer, clock, times))]
}

async function askService(issuer: string, clock: Clock, times: ForeignTime[]): Promise<Finding[]> {
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
      ...warnings.map((sentence) => warn(`it says: ${sentence}`, 'Look into its log.')),
    ]
  } catch (error) {
    const { message, cause } = error as Error
    return unreachable((cause as Error | undefined)?.message ?? message)
  }
}
