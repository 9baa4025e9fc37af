import type { Static } from 'typebox'
import type { Clock } from '../platform/clock.ts'
import type { AccessTokens } from './access-token.ts'
import { ACCOUNT_TOKEN_TTL, type AccountTokens } from './account-token.ts'
import type { StepUpResponseSchema, TokenResponseSchema } from './schemas.ts'
import type { Grant, SignedIn, SignIn } from './session.ts'

interface Issuing {
  accessTokens: AccessTokens
  accountTokens: AccountTokens
  clock: Clock
}

/** What a session may do after what was just shown in it. */
export type SteppedUp = SignedIn & Pick<SignIn, 'mayChangeAccount'>

/**
 * Signs an access token for a grant that has been stored and committed (RFC 6749 section 5.1).
 *
 * @param audience the service that it is for; the first one when left out.
 */
export function tokenResponse(
  { accessTokens, clock }: Pick<Issuing, 'accessTokens' | 'clock'>,
  grant: Grant,
  audience?: string,
): Static<typeof TokenResponseSchema> {
  return {
    ...accessTokenOf(accessTokens, grant, audience),
    refresh_token: grant.refreshToken.token,
    refresh_expires_in: Math.ceil((grant.refreshToken.expiresAt - clock.now()) / 1000),
  }
}

/** The same after a sign-in, with an account token where the sign-in has shown enough. */
export function signInResponse(issuing: Issuing, signIn: SignIn) {
  return { ...tokenResponse(issuing, signIn), ...accountTokenOf(issuing, signIn) }
}

/** After a step-up: the refresh token does not change, nor does the service that the access token is for. */
export function stepUpResponse(
  issuing: Issuing,
  shown: SteppedUp,
  audience: string,
): Static<typeof StepUpResponseSchema> {
  return { ...accessTokenOf(issuing.accessTokens, shown, audience), ...accountTokenOf(issuing, shown) }
}

function accessTokenOf(accessTokens: AccessTokens, signedIn: SignedIn, audience?: string) {
  return {
    access_token: accessTokens.issue(signedIn, audience),
    token_type: 'Bearer' as const,
    expires_in: accessTokens.ttl,
  }
}

function accountTokenOf({ accountTokens }: Pick<Issuing, 'accountTokens'>, shown: SteppedUp) {
  if (!shown.mayChangeAccount) return {}
  return { account_token: accountTokens.issue(shown), account_expires_in: ACCOUNT_TOKEN_TTL }
}
