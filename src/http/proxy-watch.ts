import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Clock } from '../platform/clock.ts'
import type { IsTrustedProxy } from './trusted-proxies.ts'

/** The headers in which proxies name their clients (RFC 7239, and the headers from before it). */
const FORWARDING_HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip']

const REMEMBER_MS = 3_600_000

interface ProxyWatchParts {
  isTrustedProxy: IsTrustedProxy
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn'>
}

/** Notices a proxy that `TRUST_PROXY` does not name: all its clients would share one limit. */
export type ProxyWatch = ReturnType<typeof makeProxyWatch>

export function makeProxyWatch({ isTrustedProxy, clock, logger }: ProxyWatchParts) {
  let seenAt = Number.NEGATIVE_INFINITY
  let loggedAt = Number.NEGATIVE_INFINITY
  return {
    see({ headers, socket }: FastifyRequest): void {
      const header = FORWARDING_HEADERS.find((name) => headers[name] !== undefined)
      const from = socket.remoteAddress ?? ''
      if (!header || isTrustedProxy(from)) return
      seenAt = clock.now()
      // Any client can send such a header, so it must not fill the log.
      if (seenAt - loggedAt < REMEMBER_MS) return
      loggedAt = seenAt
      logger.warn(
        { from, header },
        'A request came with a forwarding header from an address that TRUST_PROXY does not name. If that is a proxy, name it; otherwise this is somebody making it up',
      )
    },
    /** A sentence for the operator, for an hour after the proxy was last seen. Anyone can read it: it has no address. */
    warning: (): string | null =>
      clock.now() - seenAt < REMEMBER_MS
        ? 'Forwarding headers come from an address that TRUST_PROXY does not name; they are ignored. The log has the address.'
        : null,
  }
}
