import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** So many requests of a connection may wait before no more are read from it. */
const MANY_WAITING = 16

interface Queue {
  last?: Promise<void>
  waiting: number
}

/**
 * Handles the requests of one connection one after the other (RFC 9112 section 9.3.2): the next one when the answer to
 * the one before was taken. Node.js hands out all requests of a packet at once, and would keep the answers for a client
 * that does not read them in memory. Nor does it keep requests without end: what comes after many stays with the client.
 */
export function oneAtATime(app: FastifyInstance): void {
  const queues = new WeakMap<Socket, Queue>()

  app.addHook('onRequest', async ({ raw: { httpVersionMajor, socket } }, reply) => {
    // The host of a plugin may speak HTTP/2, whose streams do not wait for each other.
    if (httpVersionMajor > 1) return
    const queue = queues.get(socket) ?? { waiting: 0 }
    queues.set(socket, queue)
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = queue.last
    queue.last = promise
    reply.raw.once('close', resolve)
    if (!before) return
    queue.waiting += 1
    // Node.js goes on reading at the end of each request that it has read, so not before that.
    if (queue.waiting > MANY_WAITING) process.nextTick(() => socket.pause())
    await before
    queue.waiting -= 1
    if (queue.waiting === 0) socket.resume()
    // Its client has gone while it waited, or the last answer has closed the connection (RFC 9112 section 9.6).
    if (socket.destroyed || socket.writableEnded) return reply.hijack()
  })
}
