import type { InjectOptions } from 'fastify'
import type { Answer } from '../service.ts'
import { claimsOf } from '../sessions.ts'

/** Something that is good once, and the answer that took it. */
export interface Accepted {
  /** Whose it is and what; equal for what must not be accepted twice. */
  key: string
  request: InjectOptions
  answer: Answer
}

/** What passed between the callers of a service and the service. */
export interface Witness {
  saw(request: InjectOptions, answer: Answer): void
  /** Everything single-use that was taken, in order. */
  accepted: Accepted[]
  /** The last that was taken by each route. */
  lastOfEachKind(): Accepted[]
  /** Every answer that handed out tokens. */
  handedOut: Answer[]
  /** What nobody but its owner may know. */
  secrets: Set<string>
}

const SECRET_ANSWERS = ['mfa_token', 'access_token', 'refresh_token', 'secret', 'otpauth_uri']
const SECRET_BODIES = ['password', 'new_password', 'current_password', 'refresh_token', 'recovery_code']

export function makeWitness(): Witness {
  const accepted: Accepted[] = []
  const handedOut: Answer[] = []
  const secrets = new Set<string>()

  function keep(from: Record<string, unknown>, names: readonly string[]): void {
    for (const name of names) if (typeof from[name] === 'string') secrets.add(from[name])
  }

  return {
    accepted,
    handedOut,
    secrets,
    lastOfEachKind: () => [...new Map(accepted.map((taken) => [taken.request.url, taken])).values()],
    saw(request, answer) {
      if (answer.status >= 400) return
      const body = bodyOf(request)
      keep(body, SECRET_BODIES)
      if (answer.body) keep(answer.body, SECRET_ANSWERS)
      if (Array.isArray(answer.body?.recovery_codes))
        for (const code of answer.body.recovery_codes) secrets.add(code)
      if (answer.body?.refresh_token) handedOut.push(answer)
      const key = singleUseKey(request, body)
      if (key) accepted.push({ key, request, answer })
    },
  }
}

function bodyOf({ payload }: InjectOptions): Record<string, unknown> {
  return typeof payload === 'object' && payload && !Buffer.isBuffer(payload)
    ? (payload as Record<string, unknown>)
    : {}
}

/** A code belongs to its account, a token to itself. */
function singleUseKey(
  { method, url, headers }: InjectOptions,
  body: Record<string, unknown>,
): string | undefined {
  if (method !== 'POST') return undefined
  const code = String(body.code).replace(/[\s-]/g, '').toUpperCase()
  const bearer = headers?.authorization?.toString().slice('Bearer '.length) ?? ''
  switch (url) {
    case '/2fa/verify':
    case '/2fa/step-up':
      return `${body.method ?? 'totp'} code ${code} of ${claimsOf(bearer).sub}`
    case '/2fa/setup/confirm':
      return `totp code ${code} of ${claimsOf(bearer).sub}`
    case '/me/email/verify':
      return `address code ${code} of ${claimsOf(bearer).sub}`
    case '/token/refresh':
      return `refresh token ${body.refresh_token}`
    case '/password/reset':
      return `reset token ${body.token}`
  }
  return undefined
}
