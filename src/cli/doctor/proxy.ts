import { isIP } from 'node:net'
import type { Config } from '../../config.ts'
import type { Clock } from '../../platform/clock.ts'
import { isLoopback } from '../../platform/loopback.ts'
import type { ForeignTime } from './clock.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn } = findingsOf('proxy')

const TIMEOUT_MS = 3_000

/** Checks that clients are distinguished and use TLS, and that the service is reachable at its issuer. */
export async function checkProxy(
  { issuer, trustProxy, host }: Config,
  clock: Clock,
): Promise<{ findings: Finding[]; times: ForeignTime[] }> {
  const { protocol, hostname } = new URL(issuer)
  const findings: Finding[] = []
  if (protocol === 'http:' && !isLoopback(hostname))
    findings.push(warn(`ISSUER ${issuer} is without TLS`, 'Put a proxy with TLS before the service.'))
  if (protocol === 'https:' && trustProxy.length === 0)
    findings.push(
      warn(
        'ISSUER is https, and no proxy is trusted: all clients look like one address',
        'Set TRUST_PROXY to the address of the proxy.',
      ),
    )
  if (trustProxy.length > 0 && isIP(host) && /^(0\.0\.0\.0|::)$/.test(host))
    findings.push(
      warn(
        `the service listens on every address, and believes ${trustProxy.join(', ')}`,
        'See that others reach it through the proxy alone.',
      ),
    )
  if (findings.length === 0)
    findings.push(
      ok(trustProxy.length > 0 ? `believes ${trustProxy.join(', ')}` : 'none, and none is needed'),
    )
  const { finding, times } = await askService(issuer, clock)
  return { findings: [...findings, finding], times }
}

async function askService(issuer: string, clock: Clock): Promise<{ finding: Finding; times: ForeignTime[] }> {
  const unreachable = (why: string) => ({
    finding: warn(`no service answers at ${issuer}: ${why}`, 'Start it, or look at ISSUER and the proxy.'),
    times: [],
  })
  try {
    const answer = await fetch(`${issuer}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!answer.ok) return unreachable(`/readyz answers ${answer.status}`)
    const theirs = Date.parse(answer.headers.get('date') ?? '')
    const time = { whose: `the server at ${issuer}`, theirs, ours: clock.now(), coarse: true as const }
    return {
      finding: ok(`a service that is ready answers at ${issuer}`),
      // The clock of this machine would agree with itself.
      times: Number.isNaN(theirs) || isLoopback(new URL(issuer).hostname) ? [] : [time],
    }
  } catch (error) {
    const { message, cause } = error as Error
    return unreachable((cause as Error | undefined)?.message ?? message)
  }
}
