import type { FastifyRequest } from 'fastify'
import { AppError, invalidClient } from '../errors.ts'
import { isSentTwice } from '../http/sent-twice.ts'
import { texts } from '../texts/texts.ts'
import { CLIENT_ID } from '../tokens/access-token.ts'

/** What a client says it is, and the secret that it shows for it; `''` for none. */
export interface Credentials {
  id: string
  secret: string
}

/** The syntax of RFC 7617, in any case. */
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i

/**
 * The credentials of a service client: HTTP Basic, or `client_id` and `client_secret` in the body (RFC 6749 section 2.3.1).
 *
 * @returns `null` for the client of people, which shows none.
 * @throws {AppError} invalid_client, invalid_request
 */
export function shownCredentials(request: FastifyRequest): Credentials | null {
  const body = (request.body ?? {}) as Record<string, unknown>
  const id = textOf(body.client_id)
  const secret = textOf(body.client_secret)
  const basic = basicOf(request)
  // Section 2.3: one way at a time.
  if (basic && (secret || (id && id !== basic.id)))
    throw new AppError('invalid_request', texts.details.credentialsTwice)
  const shown = basic ?? { id: id || CLIENT_ID, secret }
  return shown.id === CLIENT_ID && shown.secret === '' ? null : shown
}

const textOf = (member: unknown) => (typeof member === 'string' ? member : '')

function basicOf(request: FastifyRequest): Credentials | null {
  const { authorization } = request.headers
  if (authorization === undefined) return null
  const [, encoded] = BASIC.exec(authorization) ?? []
  if (encoded === undefined || isSentTwice(request, 'authorization'))
    throw invalidClient('the Authorization header is not Basic')
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s).map(formDecoded)
  return { id, secret }
}

/** Both are encoded as in a form. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw invalidClient('the credentials are not encoded as in a form')
  }
}
