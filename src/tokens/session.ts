import type { Account } from '../accounts/account.ts'
import type { Proof } from './assurance.ts'

/** The session that a sign-in opens. Its id is the `sid` of the access tokens. Times are epoch milliseconds. */
export interface Session extends Proof {
  id: string
  accountId: string
  createdAt: number
  lastUsedAt: number
  idleExpiresAt: number
  /** The absolute end, however the session is used. */
  expiresAt: number
  /** When a refresh was answered again last, as it is when the first answer was lost. */
  refreshRepeatedAt: number | null
  ip: string
  userAgent: string
  /** When the minute began in which refreshes are counted. */
  refreshesSince: number
  /** Refreshes in that minute. */
  refreshes: number
}

/** The account and the session of an access token. */
export interface SignedIn {
  account: Account
  session: Session
}

/** The refresh token of a session in clear. Once the answer is sent, only the client has it. */
export interface RefreshToken {
  token: string
  /** Epoch milliseconds. */
  expiresAt: number
}

/** The result of a sign-in, a refresh, or a change that has ended every other session. */
export interface Grant extends SignedIn {
  refreshToken: RefreshToken
}

/** The result of a sign-in. */
export interface SignIn extends Grant {
  /** Whether it may be followed by a change of the account: an account token is handed out. */
  mayChangeAccount: boolean
}
