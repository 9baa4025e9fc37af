import type { InjectOptions } from 'fastify'
import { claimsOf } from '../../people/sessions.ts'
import type { Answer } from '../service.ts'

/** Something that is good once, and the answer that took it. */
export interface Accepted {
  /** Whose it is and what; equal for what must not be accepted twice. */
  key: string
  request: InjectOptions
  answer: Answer
  at: number
}

/** What passed between the callers of a service and the service. */
export interface Witness {
  saw(request: InjectOptions, answer: Answer): void
  /** Everything single-use that was taken, in order. */
  accepted: Accepted[]
  /** The last that was taken by each route. */
  lastOfEachKind(): Accepted[]
  /** Every answer that handed out an access token, and what came with it. */
  handedOut: { answer: Answer; at: number }[]
  /** What only its owner may know. */
  secrets: Set<string>
}

const SECRET_ANSWERS = [
  ...['mfa_token', 'access_token', 'account_token', 'refresh_token'],
  ...['secret', 'otpauth_uri'],
]
const SECRET_BODIES = [
  ...['password', 'new_password', 'current_password', 'refresh_token', 'recovery_code'],
  'client_secret',
]

export function makeWitness(): Witness {
  const accepted: Accepted[] = []
  const handedOut: Witness['handedOut'] = []
  const secrets = new Set<string>()

  function keep(from: Record<string, unknown>, names: readonly string[]): void {
    for (const name of names) if (typeof from[name] === 'string') secrets.add(from[name])
  }

  return {
    accepted,
    handedOut,
    secrets,
    lastOfEachKind: () => [
      ...new Map(accepted.map((taken) => [`${taken.request.method} ${taken.request.url}`, taken])).values(),
    ],
    saw(request, answer) {
      if (answer.status >= 400) return
      const body = bodyOf(request)
      keep(body, SECRET_BODIES)
      keep(basicOf(request), SECRET_BODIES)
      if (answer.body) keep(answer.body, SECRET_ANSWERS)
      if (Array.isArray(answer.body?.recovery_codes))
        for (const code of answer.body.recovery_codes) secrets.add(code)
      if (answer.body?.access_token) handedOut.push({ answer, at: Date.now() })
      for (const key of singleUseKeys(request, body)) accepted.push({ key, request, answer, at: Date.now() })
    },
  }
}

/** The credentials of a service client in the header. */
function basicOf({ headers }: InjectOptions): Record<string, unknown> {
  const [, encoded = ''] = /^Basic (.*)/.exec(headers?.authorization?.toString() ?? '') ?? []
  return { client_secret: Buffer.from(encoded, 'base64').toString().split(':')[1] || undefined }
}

function bodyOf({ payload, headers }: InjectOptions): Record<string, unknown> {
  const isForm = headers?.['content-type'] === 'application/x-www-form-urlencoded'
  if (isForm && typeof payload === 'string') return Object.fromEntries(new URLSearchParams(payload))
  return typeof payload === 'object' && payload && !Buffer.isBuffer(payload)
    ? (payload as Record<string, unknown>)
    : {}
}

/**
 * A code as it is compared, whatever was typed between its characters. Of a passkey it is the challenge, whoever answers
 * it; other answers are compared as they are.
 */
function typedCode({ code, credential, password: _, ...rest }: Record<string, unknown>): string {
  if (credential) return challengeOf(credential)
  return code === undefined ? JSON.stringify(rest) : String(code).replace(/[\s-]/g, '').toUpperCase()
}

function challengeOf(credential: unknown): string {
  const { clientDataJSON } = (credential as { response: { clientDataJSON: string } }).response
  return JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()).challenge
}

/** A code belongs to its account, a token to itself. */
function singleUseKeys({ method, url, headers }: InjectOptions, body: Record<string, unknown>): string[] {
  const route = `${method} ${url}`
  const bearer = () => claimsOf(headers?.authorization?.toString().slice('Bearer '.length) ?? '')
  const code = typedCode(body)
  const answer = () =>
    body.credential ? `passkey challenge ${code}` : `${body.method ?? 'totp'} code ${code} of ${bearer().sub}`
  if (route.startsWith('DELETE /2fa/factors/')) return [`account token ${bearer().jti}`]
  switch (route) {
    case 'POST /2fa/verify':
    case 'POST /login/passkey':
      return [answer()]
    case 'POST /2fa/step-up':
      // A password is good as often as it is shown.
      return body.method === 'password' ? [] : [answer()]
    case 'POST /2fa/passkeys':
      return [answer(), ...(bearer().change_count === undefined ? [] : [`account token ${bearer().jti}`])]
    case 'POST /2fa/setup/confirm':
      return [`totp code ${code} of ${bearer().sub}`, `account token ${bearer().jti}`]
    case 'POST /2fa/recovery-codes':
    case 'DELETE /2fa':
    case 'POST /password/change':
    case 'PUT /2fa/email':
    case 'PUT /me/email':
    case 'DELETE /me':
      return [`account token ${bearer().jti}`]
    case 'POST /me/email/verify':
      return body.token ? [`address link ${body.token}`] : [`address code ${code} of ${bearer().sub}`]
    case 'POST /token':
      if (body.grant_type !== 'refresh_token') return []
      return [`refresh token ${body.refresh_token}`]
    case 'POST /token/refresh':
      return [`refresh token ${body.refresh_token}`]
    case 'POST /password/reset':
      return [`reset token ${body.token}`]
  }
  return []
}
