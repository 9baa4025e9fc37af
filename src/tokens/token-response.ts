import type { Clock } from '../platform/clock.ts'
import type { AccessTokens } from './access-token.ts'
import type { Grant } from './sessions.ts'

/** The answer that hands out tokens (RFC 6749 section 5.1); times are whole seconds from now. */
export interface TokenResponse {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  refresh_expires_in: number
}

/** Signs an access token for a grant that has been stored and committed. */
export type RespondWithTokens = (grant: Grant) => TokenResponse

export function makeTokenResponse({
  accessTokens,
  clock,
}: {
  accessTokens: AccessTokens
  clock: Clock
}): RespondWithTokens {
  return (grant) => ({
    access_token: accessTokens.issue(grant),
    token_type: 'Bearer',
    expires_in: accessTokens.ttl,
    refresh_token: grant.refreshToken.token,
    refresh_expires_in: Math.ceil((grant.refreshToken.expiresAt - clock.now()) / 1000),
  })
}
