import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { PasswordHasher } from '../crypto/password-hasher.ts'

/**
 * Refuses what needs a password hash while there is no room for one, before the body is read: under a flood almost
 * all requests end here, and everybody else waits for as long as that takes.
 */
export const shedLoad = fp(
  async function shedLoad(app: FastifyInstance, { passwords }: { passwords: PasswordHasher }) {
    const admit = () => passwords.admit()
    app.addHook('onRoute', (route) => {
      if (route.config?.problems?.includes('overloaded'))
        route.onRequest = [route.onRequest ?? [], admit].flat()
    })
  },
  { name: 'shed-load' },
)
