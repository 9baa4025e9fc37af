import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { AppError, type ProblemCode } from '../errors.ts'
import { texts } from '../texts/texts.ts'
import { PROBLEM_MEDIA_TYPE, type ProblemOf } from './problem.ts'
import type { HeadersOf } from './security-headers.ts'

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** How long a client may take to close its side after an answer that closes the connection. */
const LINGER_MS = 1_000

/** An answer to input that is not valid HTTP, or did not come in time. */
export interface Unreadable {
  request_id: string
  problem: ProblemCode
  ip: string | undefined
  /** Why, by the name that Node.js has for it. */
  reason: string | undefined
}

/**
 * Answers input that is not valid HTTP. Node has no reply object for it, only the socket.
 *
 * @param answered is told of each answer, for the log and metrics.
 */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  headersOf: HeadersOf,
  problemOf: ProblemOf,
  answered: (unreadable: Unreadable) => void,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    // What comes after an answer is not read; how long that may take is set below.
    if (!socket.writableEnded) socket.destroy()
    return
  }
  const code = CODES[error.code ?? ''] ?? 'bad_request'
  const requestId = crypto.randomUUID()
  const problem = problemOf(new AppError(code, texts.details.notHttp), requestId)
  const body = JSON.stringify(problem)
  answered({ request_id: requestId, problem: code, ip: socket.remoteAddress, reason: error.code })
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headersOf(requestId)).map(([name, value]) => `${name}: ${value}`),
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  // A client that still sends would lose the answer to a reset (RFC 9112 section 9.6). One that never closes its side
  // would keep the descriptor for ever.
  socket.resume()
  const cut = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(cut))
}
