import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/**
 * Handles the requests of one connection one after the other (RFC 9112 section 9.3.2): the next one when the answer to
 * the one before was taken. Node.js hands out all requests of a packet at once, and would keep the answers for a client
 * that does not read them in memory.
 */
export function oneAtATime(app: FastifyInstance): void {
  const latest = new WeakMap<Socket, Promise<void>>()

  app.addHook('onRequest', async ({ raw: { socket } }, reply) => {
    const before = latest.get(socket)
    const { promise, resolve } = Promise.withResolvers<void>()
    latest.set(socket, promise)
    reply.raw.once('close', resolve)
    await before
    // Its client has gone while it waited.
    if (before && socket.destroyed) return reply.hijack()
  })
}
