import type { Account } from '../accounts/account.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newOpaqueToken } from '../crypto/opaque-token.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { type Acr, type Amr, acrOf } from './assurance.ts'
import { findLiveSession, insertRefreshToken, insertSession } from './store.ts'

/** Where a request comes from. */
export interface Client {
  ip: string
  userAgent: string
  /** Fires when the client has gone away. */
  signal?: AbortSignal
}

/** One login. Its id is the `sid` of the access tokens; times are epoch milliseconds. */
export interface Session {
  id: string
  accountId: string
  amr: readonly Amr[]
  acr: Acr
  authTime: number
  expiresAt: number
}

/** The refresh token of a session, in clear: known to the client alone once the answer is sent. */
export interface RefreshToken {
  token: string
  /** Epoch milliseconds. */
  expiresAt: number
}

/** What a successful sign-in or refresh hands out. */
export interface Grant {
  account: Account
  session: Session
  refreshToken: RefreshToken
}

/** A session ends for good after so many refresh token lifetimes, however often it is refreshed. */
const ABSOLUTE_LIFETIMES = 3

const MAX_USER_AGENT = 256

export interface Sessions {
  /** Begins a session with its first refresh token; only the token's hash is stored. */
  open(trx: Trx, account: Account, amr: readonly Amr[], client: Client): Promise<Grant>
  /** The session while it lasts. */
  find(id: string): Promise<Session | undefined>
}

/** @param refreshTtl the life of an unused refresh token in seconds. */
export function makeSessions({
  db,
  clock,
  keyedHash,
  refreshTtl,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  refreshTtl: number
}): Sessions {
  return {
    async open(trx, account, amr, client) {
      const now = clock.now()
      const session: Session = {
        id: newId(clock),
        accountId: account.id,
        amr,
        acr: acrOf(amr),
        authTime: now,
        expiresAt: now + ABSOLUTE_LIFETIMES * refreshTtl * 1000,
      }
      const refreshToken = { token: newOpaqueToken(), expiresAt: now + refreshTtl * 1000 }
      await insertSession(trx, session, {
        ip: client.ip,
        userAgent: client.userAgent.slice(0, MAX_USER_AGENT),
      })
      await insertRefreshToken(trx, {
        tokenHash: keyedHash('refresh token', refreshToken.token),
        sessionId: session.id,
        createdAt: now,
        expiresAt: refreshToken.expiresAt,
      })
      return { account, session, refreshToken }
    },

    find: (id) => findLiveSession(db, id, clock.now()),
  }
}
