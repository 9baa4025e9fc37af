import type { Socket } from 'node:net'
import { AppError, type ProblemCode } from '../errors.ts'
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.ts'
import { answerHeaders } from './security-headers.ts'

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

const REASONS: Partial<Record<ProblemCode, string>> = {
  bad_request: 'Bad Request',
  headers_too_large: 'Request Header Fields Too Large',
  request_timeout: 'Request Timeout',
}

/** Answers input that is not valid HTTP. Node has no reply object for it, only the socket. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = CODES[error.code ?? ''] ?? 'bad_request'
  const requestId = crypto.randomUUID()
  const problem = problemOf(new AppError(code, 'The request could not be read as HTTP.'), requestId)
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${REASONS[code]}`,
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(answerHeaders(requestId)).map(([name, value]) => `${name}: ${value}`),
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
