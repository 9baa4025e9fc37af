import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { texts } from '../texts/texts.ts'
import { decodeUtf8, refuseEncodedBody } from './json-body.ts'

export const FORM = 'application/x-www-form-urlencoded'

/**
 * Lets the routes of this scope accept a form, as OAuth endpoints do: a parameter must not occur twice, one without a
 * value counts as left out, and unknown ones are ignored (RFC 6749 section 3.2).
 *
 * @param known the parameters that these routes know.
 */
export function acceptForm(scope: FastifyInstance, known: readonly string[]): void {
  scope.addContentTypeParser(FORM, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    refuseEncodedBody(request)
    return parseForm(body, known)
  })
}

/** @throws {AppError} bad_request */
function parseForm(bytes: Uint8Array, known: readonly string[]): Record<string, string> {
  const text = decodeUtf8(bytes, () => new AppError('bad_request', texts.details.formNotUtf8))
  const members: [string, string][] = [...new URLSearchParams(text)]
  const names = new Set(members.map(([name]) => name))
  if (names.size < members.length) throw new AppError('bad_request', texts.details.parameterTwice)
  return Object.fromEntries(members.filter(([name, value]) => known.includes(name) && value !== ''))
}
