import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { rateLimited } from '../errors.ts'

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

const WINDOW_SECONDS = 60

/** Counts each request in the group of its route, before its token is looked at. */
export const rateLimits = fp(
  async function rateLimits(app: FastifyInstance) {
    await app.register(fastifyRateLimit, { global: false, ipv6Subnet: 64 })
    const groups = Object.keys(RATE_LIMITS) as RateLimitGroup[]
    const limiters = new Map(
      groups.map((group) => [
        group,
        app.createRateLimit({ max: RATE_LIMITS[group], timeWindow: WINDOW_SECONDS * 1000 }),
      ]),
    )

    app.addHook('onRequest', async (request, reply) => {
      const group = request.is404 ? 'unknown' : (request.routeOptions.config.limit ?? 'general')
      const outcome = await limiters.get(group)?.(request)
      if (!outcome || outcome.isAllowed) return
      const retryAfter = Math.max(1, outcome.ttlInSeconds)
      reply.headers({
        'ratelimit-policy': `"${group}";q=${RATE_LIMITS[group]};w=${WINDOW_SECONDS}`,
        ratelimit: `"${group}";r=${outcome.remaining};t=${retryAfter}`,
      })
      if (outcome.isExceeded) throw rateLimited(retryAfter)
    })
  },
  { name: 'rate-limits' },
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The group whose limit counts this route's requests. */
    limit?: RateLimitGroup
  }
}
