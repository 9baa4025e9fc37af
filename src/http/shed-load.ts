import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { BODY_LIMIT_BYTES } from './json-body.ts'

/**
 * Refuses requests that need a password hash while there is no room for one, before their body is read. A login is not
 * among them: its body names an account, which may be at home where it comes from. A body that is too long, or of
 * unknown length, goes the usual way, which stops reading at the limit.
 */
export const shedLoad = fp(
  async function shedLoad(app: FastifyInstance, { passwords }: { passwords: PasswordHasher }) {
    app.addHook('onRoute', (route) => {
      if (route.config?.hashes) route.onRequest = [route.onRequest ?? [], admit].flat()
    })

    async function admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (!hasSmallBody(request)) return
      try {
        await passwords.admit(request)
      } catch (error) {
        // Closes the connection instead of reading the rest of the body.
        if (!request.raw.complete) reply.header('connection', 'close')
        throw error
      }
    }
  },
  { name: 'shed-load' },
)

function hasSmallBody({ headers }: FastifyRequest): boolean {
  return !headers['transfer-encoding'] && Number(headers['content-length'] ?? 0) <= BODY_LIMIT_BYTES
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route computes a password hash. */
    hashes?: boolean
  }
}
