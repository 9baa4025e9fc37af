import type { KeyRing } from '../crypto/key-ring.ts'
import { CLOCK_SKEW_SECONDS, type Clock, epochSeconds } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import { type Acr, acrClaim, amrClaim, reaches } from './assurance.ts'
import { type CommonClaims, stringClaim, timeClaim, type UncheckedClaims } from './claims.ts'
import { makeHmacTokens } from './hmac-token.ts'
import type { Session, SignedIn } from './session.ts'

export const ACCOUNT_TOKEN_TYP = 'account+jwt'

/** The life of an account token, and how long ago at most what it stands for was shown, in seconds. */
export const ACCOUNT_TOKEN_TTL = 300

const NO_FACTOR = -1

export interface AccountClaims extends CommonClaims {
  sid: string
  acr: Acr
  /** What its session had shown when the token was made. A later step-up adds nothing to it. */
  amr: readonly string[]
  /** Since when the account had the factor that was shown, in epoch milliseconds; -1 for none. */
  factor_since: number
  /** How many changes the account had seen when the token was made. The next change makes it void. */
  change_count: number
}

/**
 * Short-lived JWTs that are good for one change of the account here, and for nothing anywhere else. Access tokens
 * travel to every service that an app calls, and one that leaks there must change nothing.
 */
export type AccountTokens = ReturnType<typeof makeAccountTokens>

export function makeAccountTokens(given: { keyRing: KeyRing; issuer: string; clock: Clock }) {
  const { clock } = given
  const audience = `${given.issuer}/account`
  const tokens = makeHmacTokens({ ...given, typ: ACCOUNT_TOKEN_TYP, purpose: 'account token', audience })
  return {
    issue({ account, session }: SignedIn): string {
      const iat = epochSeconds(clock)
      return tokens.issue({
        sub: account.id,
        jti: newId(clock),
        iat,
        exp: iat + ACCOUNT_TOKEN_TTL,
        sid: session.id,
        acr: session.acr,
        amr: session.amr,
        factor_since: session.factorSince ?? NO_FACTOR,
        change_count: account.changeCount,
      })
    },
    keyFor: tokens.keyFor,
    /** @throws {ClaimError} */
    check: (claims: UncheckedClaims): AccountClaims => ({
      ...tokens.check(claims),
      sid: stringClaim(claims, 'sid'),
      acr: acrClaim(claims),
      amr: amrClaim(claims),
      factor_since: Number(claims.factor_since),
      change_count: timeClaim(claims, 'change_count'),
    }),
  }
}

/**
 * Whether a session has shown within the last 300 s what an account token stands for: the password, and a factor at the
 * level of the account's best one, if it has any; or a passkey that has verified its owner, which is both.
 *
 * @param now epoch milliseconds.
 */
export function mayChangeAccount(
  { acr, amr, factorAt, passwordAt }: Session,
  { enrolled, bestAcr }: { enrolled: boolean; bestAcr: Acr },
  now: number,
): boolean {
  // What was shown by a clock that was ahead is not recent until then.
  const isRecent = (at: number | null) =>
    at !== null && now - at <= ACCOUNT_TOKEN_TTL * 1000 && at - now <= CLOCK_SKEW_SECONDS * 1000
  return (
    (isRecent(passwordAt) || amr.includes('user')) &&
    (!enrolled || (isRecent(factorAt) && reaches(acr, bestAcr)))
  )
}
