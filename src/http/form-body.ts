import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { refuseEncodedBody } from './json-body.ts'

const DECODER = new TextDecoder('utf-8', { fatal: true })

/**
 * Lets the routes of this scope accept a form as well as JSON, as OAuth endpoints do. A parameter must not occur
 * twice (RFC 6749 section 3.2).
 */
export function acceptForm(scope: FastifyInstance): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      refuseEncodedBody(request)
      return parseForm(body)
    },
  )
}

/** @throws {AppError} bad_request */
function parseForm(bytes: Uint8Array): Record<string, string> {
  const members: [string, string][] = [...new URLSearchParams(decode(bytes))]
  const names = new Set(members.map(([name]) => name))
  if (names.size < members.length) throw new AppError('bad_request', 'The form has the same parameter twice.')
  return Object.fromEntries(members)
}

function decode(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes)
  } catch {
    throw new AppError('bad_request', 'The form is not well-formed UTF-8.')
  }
}
