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

export function disconnectSignal(request: FastifyRequest): AbortSignal {
  const controller = new AbortController()
  const { socket } = request.raw
  const abort = () => controller.abort(new ClientGone())
  if (socket.destroyed) abort()
  else {
    socket.once('close', abort)
    request.raw.once('close', () => socket.off('close', abort))
  }
  return controller.signal
}

/** The client went away while its request waited; there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}
