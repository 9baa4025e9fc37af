import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { rateLimited } from '../errors.ts'
import type { SharedCounts } from './shared-counts.ts'

/**
 * Requests a minute from one address (an IPv6 /64 counts as one). This is noise control: it keeps one address
 * from filling the service. What protects accounts from guessing are the counters in the database.
 */
export const RATE_LIMITS = {
  /** Making accounts. */
  register: 60,
  /** Passwords. */
  login: 120,
  /** Codes, and setting up what makes them. */
  codes: 240,
  /** Reading, and everything else. */
  general: 1200,
  /** Paths that do not exist. */
  unknown: 120,
} as const

export type RateLimitGroup = keyof typeof RATE_LIMITS

const WINDOW_MS = 60_000

/**
 * Counts each request in the group of its route, before its token is looked at. Every process counts what it
 * sees itself; where replicas share their counts, those decide. While they are away each process keeps to its
 * share of the limit, so that all of them together keep to the whole of it.
 */
export const rateLimits = fp<{ sharedCounts: SharedCounts | null }>(
  async function rateLimits(app: FastifyInstance, { sharedCounts }) {
    await app.register(fastifyRateLimit, { global: false, ipv6Subnet: 64 })
    const replicas = () => sharedCounts?.replicas() ?? 1
    const groups = Object.keys(RATE_LIMITS) as RateLimitGroup[]
    const limiters = new Map(
      groups.map((group) => {
        const max = () => Math.ceil(RATE_LIMITS[group] / replicas())
        return [group, app.createRateLimit({ max, timeWindow: WINDOW_MS })]
      }),
    )

    app.addHook('onRequest', async (request, reply) => {
      const group = request.is404 ? 'unknown' : (request.routeOptions.config.limit ?? 'general')
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
    })
    app.addHook('onReady', async () => sharedCounts?.open())
    app.addHook('onClose', async () => sharedCounts?.close())
  },
  { name: 'rate-limits' },
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The group whose limit counts this route's requests. */
    limit?: RateLimitGroup
  }
}
