import type { Static } from 'typebox'
import { signInResponse } from '../tokens/token-response.ts'
import type { LoginOutcome } from './login.ts'
import type { SignInRoom } from './room.ts'
import type { MfaStepSchema, PasswordOnlySchema } from './schemas.ts'

/** Writes the answer to a right password: an mfa token for the second factor, or the tokens of a session. */
export function loginResponse(
  room: Pick<SignInRoom, 'accessTokens' | 'accountTokens' | 'clock' | 'mfaTokens'>,
  outcome: LoginOutcome,
): Static<typeof MfaStepSchema> | Static<typeof PasswordOnlySchema> {
  if (!('challenge' in outcome)) return { mfa_required: false, ...signInResponse(room, outcome) }
  const { challenge, enrolled, methods, owesEnrolmentCode } = outcome
  return {
    mfa_required: true,
    mfa_token: room.mfaTokens.issue(challenge),
    token_type: 'Bearer',
    expires_in: Math.ceil((challenge.expiresAt - room.clock.now()) / 1000),
    enrolled,
    ...(owesEnrolmentCode && { enrolment_code_required: true as const }),
    methods,
  }
}
