import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../caller.ts'

const MAX_USER_AGENT = 256

/** The address and the program that a request comes from, and a signal for when the client has gone. */
export function callerOf(request: FastifyRequest): Caller {
  return {
    by: 'person',
    ip: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT),
    requestId: request.id,
    signal: disconnectSignal(request),
  }
}

/** One signal for each connection, however many requests it carries, so that listeners do not pile up on its socket. */
const disconnected = new WeakMap<Socket, AbortSignal>()

function disconnectSignal({ raw: { socket } }: FastifyRequest): AbortSignal {
  const known = disconnected.get(socket)
  if (known) return known
  const controller = new AbortController()
  const abort = () => controller.abort(new CallerGone())
  if (socket.destroyed) abort()
  else socket.once('close', abort)
  disconnected.set(socket, controller.signal)
  return controller.signal
}

/** The client has gone while its request waited. There is no one to answer. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone'
}
