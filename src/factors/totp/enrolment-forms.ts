import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { notAcceptable } from '../../errors.ts'
import { qrPng, qrSvg, qrTerminal } from './qr.ts'
import type { EnrolmentSchema } from './schemas.ts'
import type { PendingAuthenticator } from './set-up.ts'

type EnrolmentJson = Static<typeof EnrolmentSchema>

/** One way to show a pending authenticator. */
interface EnrolmentForm {
  mediaType: string
  render(pending: PendingAuthenticator): Promise<EnrolmentJson | Buffer | string>
}

/** By media type. The first one is for clients that accept anything. */
const FORMS: Record<string, EnrolmentForm> = {
  'application/json': {
    mediaType: 'application/json; charset=utf-8',
    render: async ({ secret, otpauthUri, expiresIn }) => ({
      secret,
      otpauth_uri: otpauthUri,
      qr_png: `data:image/png;base64,${(await qrPng(otpauthUri)).toString('base64')}`,
      expires_in: expiresIn,
    }),
  },
  'image/png': { mediaType: 'image/png', render: ({ otpauthUri }) => qrPng(otpauthUri) },
  'image/svg+xml': { mediaType: 'image/svg+xml', render: ({ otpauthUri }) => qrSvg(otpauthUri) },
  'text/plain': {
    mediaType: 'text/plain; charset=utf-8',
    render: async ({ secret, otpauthUri }) =>
      `${await qrTerminal(otpauthUri)}\n${otpauthUri}\n\nSecret: ${secret}\n`,
  },
}

/** All but the weight: `; charset=utf-8` excludes no answer, least of all one that has it. */
const PARAMETER = /;\s*(?!q\s*=)[^\s;,="]+(\s*=\s*("([^"\\]|\\.)*"|[^;,"]*))?/gi

export const enrolmentForms = {
  /** @throws {AppError} not_acceptable, before a secret is made (RFC 9110 section 12.5.1). */
  choose(request: FastifyRequest): EnrolmentForm {
    const offered = Object.keys(FORMS)
    const { headers } = request
    headers.accept &&= headers.accept.replace(PARAMETER, '')
    const chosen = request.accepts().type(offered)
    const form = typeof chosen === 'string' ? FORMS[chosen] : undefined
    if (!form) throw notAcceptable(offered)
    return form
  },
}
