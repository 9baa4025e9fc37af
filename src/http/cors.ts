import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** The headers that a page of another origin may read. */
const EXPOSED = ['Retry-After', 'WWW-Authenticate', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id', 'Allow']

const PREFLIGHT_SECONDS = 600

/**
 * Lets pages of the configured origins call the API, with whatever headers they ask for: tracing adds its own. An
 * origin must match as a whole.
 */
export const cors = fp(
  async function cors(app: FastifyInstance, { origins }: { origins: readonly string[] }) {
    await app.register(fastifyCors, {
      origin: [...origins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: EXPOSED,
      maxAge: PREFLIGHT_SECONDS,
      // The strict check answers in plain text, not with a problem.
      strictPreflight: false,
    })
  },
  { name: 'cors' },
)
