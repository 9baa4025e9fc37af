import type { Kept, Tokens } from './token-store.ts'

/** What answers say about tokens, as far as they do. */
export interface TokenBody {
  access_token?: string
  expires_in?: number
  refresh_token?: string
  mfa_token?: string
  account_token?: string
  account_expires_in?: number
  enrolled?: boolean
  enrolment_code_required?: true
  methods?: string[]
  /** New ones; `GET /2fa` says under this name how many are left. */
  recovery_codes?: string[] | object
}

/**
 * What is kept once an answer has come; a step-up brings no new refresh token.
 *
 * @param isNew whether it begins a session.
 * @param besides whether there was a session when the request was sent.
 */
export function keptAfter(kept: Kept, body: TokenBody, { isNew = false, besides = false } = {}): Kept {
  const expiresAt = Date.now() + (body.expires_in ?? 0) * 1000
  const { access_token: accessToken, mfa_token: mfaToken, enrolled = false, methods = [] } = body
  const refreshToken = body.refresh_token ?? kept.tokens?.refreshToken
  const newCodes = Array.isArray(body.recovery_codes) ? (body.recovery_codes as string[]) : undefined
  const recoveryCodes = newCodes ?? (isNew ? undefined : kept.tokens?.recoveryCodes)
  if (accessToken && refreshToken) {
    const refreshKey = body.refresh_token ? newKey(accessToken) : kept.tokens?.refreshKey
    const tokens: Tokens = { accessToken, accessExpiresAt: expiresAt, refreshToken, recoveryCodes }
    return { ...kept, tokens: { ...tokens, ...(refreshKey && { refreshKey }) }, mfaStep: null }
  }
  if (kept.tokens && newCodes) return { ...kept, tokens: { ...kept.tokens, recoveryCodes } }
  if (!mfaToken) return kept
  const step = { mfaToken, expiresAt, enrolled, methods }
  const flags = {
    ...(besides && { besides }),
    ...(body.enrolment_code_required && { enrolmentCodeRequired: true as const }),
  }
  return { ...kept, mfaStep: { ...step, ...flags } }
}

/** Where a runtime such as React Native makes no UUIDs, the end of the signature of the token that came along. */
const newKey = (accessToken: string) => globalThis.crypto?.randomUUID?.() ?? accessToken.slice(-64)
