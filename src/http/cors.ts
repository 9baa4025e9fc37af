import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** What a page of another origin may read beside the body. */
const EXPOSED = ['Retry-After', 'WWW-Authenticate', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id', 'Allow']

const PREFLIGHT_SECONDS = 600

/** Lets pages of the configured origins call the API; an origin matches as a whole or not at all. */
export const cors = fp(
  async function cors(app: FastifyInstance, { origins }: { origins: readonly string[] }) {
    await app.register(fastifyCors, {
      origin: [...origins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      allowedHeaders: ['Authorization', 'Content-Type'],
      exposedHeaders: EXPOSED,
      maxAge: PREFLIGHT_SECONDS,
      // The strict check answers in plain text, not with a problem.
      strictPreflight: false,
    })
  },
  { name: 'cors' },
)
