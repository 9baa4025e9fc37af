import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../platform/clock.ts'
import { usernameKey } from '../values/username.ts'
import type { IsTrustedProxy } from './trusted-proxies.ts'

/** The headers in which proxies name their clients (RFC 7239, and the headers from before it). */
const FORWARDING_HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip']

const REMEMBER_MS = 3_600_000

/** So many people from one address within an hour are more likely behind a server than at home. */
export const MANY_NAMES = 50
/** As many addresses are remembered in an hour, each with so many names at most. */
const MANY_ADDRESSES = 1_000

interface ProxyWatchParts {
  isTrustedProxy: IsTrustedProxy
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn'>
}

/** Notices proxies and servers whose clients share one address, and with it one limit. */
export type ProxyWatch = ReturnType<typeof makeProxyWatch>

export function makeProxyWatch({ isTrustedProxy, clock, logger }: ProxyWatchParts) {
  /** Any client can bring a finding about, so it must not fill the log. */
  function finding(publicly: string, inTheLog: string) {
    let seenAt = Number.NEGATIVE_INFINITY
    let loggedAt = Number.NEGATIVE_INFINITY
    return {
      seen(facts: object) {
        seenAt = clock.now()
        if (seenAt - loggedAt < REMEMBER_MS) return
        loggedAt = seenAt
        logger.warn(facts, inTheLog)
      },
      current: () => (clock.now() - seenAt < REMEMBER_MS ? [publicly] : []),
    }
  }
  const unnamed = finding(
    'Forwarding headers come from an address that TRUST_PROXY does not name; they are ignored. The log has the address.',
    'A request came with a forwarding header from an address that TRUST_PROXY does not name. If that is a proxy, name it; otherwise a client makes it up',
  )
  const nameless = finding(
    'A proxy that TRUST_PROXY names does not say who its clients are: it sends no X-Forwarded-For or Forwarded with an address, or two that differ. They share its limits. The log has its address.',
    'A sign-in came from a proxy that TRUST_PROXY names, without the address of its client: have the proxy write one of X-Forwarded-For and Forwarded, and take away the other',
  )
  const crowded = finding(
    'Many people sign in from one address and share its limits. If it is that of a server or a proxy, have it send X-Forwarded-For, and name it in TRUST_PROXY. The log has the address.',
    'Many people sign in from one address and share its limits. If it is that of a server or a proxy, have it send X-Forwarded-For, and name it in TRUST_PROXY; it may also be a large office',
  )

  const names = new Map<string, Set<string>>()
  let namesSince = Number.NEGATIVE_INFINITY

  return {
    see({ headers, socket }: FastifyRequest): void {
      const header = FORWARDING_HEADERS.find((name) => headers[name] !== undefined)
      const from = socket.remoteAddress ?? ''
      if (header && !isTrustedProxy(from)) unnamed.seen({ from, header })
    },

    answered({ body, ip, raw, routeOptions }: FastifyRequest, { statusCode }: FastifyReply): void {
      if (!/^\/(login|register)$/.test(routeOptions.url ?? '')) return
      const from = raw.socket.remoteAddress ?? ''
      if (raw.headers['x-forwarded-for'] === undefined && isTrustedProxy(from)) nameless.seen({ from })
      // With a right password alone: anyone can send names that no one has.
      const { username } = (body ?? {}) as { username?: string }
      if (!username || statusCode >= 300) return
      if (Math.abs(clock.now() - namesSince) >= REMEMBER_MS) {
        names.clear()
        namesSince = clock.now()
      }
      const known = names.get(ip) ?? new Set()
      if (known.size < MANY_NAMES) known.add(usernameKey(username))
      if (names.size < MANY_ADDRESSES) names.set(ip, known)
      if (known.size >= MANY_NAMES) crowded.seen({ from: ip, names: known.size })
    },

    /** Sentences for the operator, for an hour after what they say was last seen. Anyone can read them: they have no address. */
    warnings: (): string[] => [...unnamed.current(), ...nameless.current(), ...crowded.current()],
  }
}
