import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Client } from '../tokens/sessions.ts'

const MAX_USER_AGENT = 256

/** Where the request comes from, and a signal for when nobody waits for the answer any more. */
export function clientOf(request: FastifyRequest): Client {
  return {
    ip: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT),
    requestId: request.id,
    signal: disconnectSignal(request),
  }
}

/** One for each connection, however many requests come over it: listeners do not pile up on its socket. */
const disconnected = new WeakMap<Socket, AbortSignal>()

export function disconnectSignal({ raw: { socket } }: FastifyRequest): AbortSignal {
  const known = disconnected.get(socket)
  if (known) return known
  const controller = new AbortController()
  const abort = () => controller.abort(new ClientGone())
  if (socket.destroyed) abort()
  else socket.once('close', abort)
  disconnected.set(socket, controller.signal)
  return controller.signal
}

/** The client went away while its request waited; there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}
