import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { rateLimited } from '../errors.ts'
import { connectionOf } from '../values/network.ts'
import type { SharedCounts } from './shared-counts.ts'

/**
 * Requests in a minute from one address (an IPv6 /64 counts as one). The limits keep one address from filling the
 * service. Accounts are protected from guessing by the counters in the database instead.
 */
export const RATE_LIMITS = {
  /** Registration. */
  register: 60,
  /** Passwords. */
  login: 120,
  /** Codes, and setting up authenticators. */
  codes: 240,
  /** What one service client asks, from wherever it asks. */
  client: 60_000,
  /** Wrong secrets of service clients: apart from passwords, since people may sign in by the same server. */
  refused: 120,
  /** Reading, and all other routes. */
  general: 1200,
  /** Paths that do not exist. */
  unknown: 120,
} as const

export type RateLimitGroup = keyof typeof RATE_LIMITS

const WINDOW_MS = 60_000

/**
 * Counts each request in the group of its route, before its token is checked. Every process counts the requests that
 * it sees. Where replicas share their counts, the shared counts decide. While those are not available, each process
 * keeps to its share of the limit, so that together they keep to all of it.
 */
export const rateLimits = fp<{ sharedCounts: SharedCounts | null }>(
  async function rateLimits(app: FastifyInstance, { sharedCounts }) {
    await app.register(fastifyRateLimit, { global: false })
    const replicas = () => sharedCounts?.replicas() ?? 1
    const groups = Object.keys(RATE_LIMITS) as RateLimitGroup[]
    const limiters = new Map(
      groups.map((group) => {
        const max = () => Math.ceil(RATE_LIMITS[group] / replicas())
        const keyGenerator = ({ clientId, ip }: FastifyRequest) =>
          group === 'client' ? `${clientId}` : connectionOf(ip)
        return [group, app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator })]
      }),
    )

    const count = async (request: FastifyRequest, reply: FastifyReply, group: RateLimitGroup) => {
      const own = await limiters.get(group)?.(request)
      if (!own || own.isAllowed) return
      const shared = await sharedCounts?.count(group, own.key, {
        max: RATE_LIMITS[group],
        windowMs: WINDOW_MS,
      })
      const { max, remaining, ttl, isExceeded } = shared ?? own
      const retryAfter = Math.max(1, Math.ceil(ttl / 1000))
      reply.headers({
        'ratelimit-policy': `"${group}";q=${max};w=${WINDOW_MS / 1000}`,
        ratelimit: `"${group}";r=${remaining};t=${retryAfter}`,
      })
      if (isExceeded) throw rateLimited(retryAfter)
    }

    app.addHook('onRequest', async (request, reply) => {
      const group = request.is404 ? 'unknown' : (request.routeOptions.config.limit ?? 'general')
      if (group !== 'client') return count(request, reply, group)
      // Who asks is known once the secret or the token was looked at.
      request.countRequest = (known) => {
        request.countUnknown = undefined
        return count(request, reply, known)
      }
      request.countUnknown = () => count(request, reply, 'general')
    })
    app.addHook('onReady', async () => sharedCounts?.open())
    app.addHook('onClose', async () => sharedCounts?.close())
  },
  { name: 'rate-limits' },
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The group whose limit counts requests of this route. */
    limit?: RateLimitGroup
  }
  interface FastifyRequest {
    /** Counts the request of a client in a group; missing without limits. @throws {AppError} rate_limited */
    countRequest?: (group: RateLimitGroup) => Promise<void>
    /** Counts it for its address, where it was refused before it was known who asks. @throws {AppError} rate_limited */
    countUnknown?: (() => Promise<void>) | undefined
  }
}
