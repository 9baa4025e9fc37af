import type { Account } from '../accounts/account.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newOpaqueToken } from '../crypto/opaque-token.ts'
import { invalidToken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { type Acr, type Amr, acrOf } from './assurance.ts'
import {
  deleteRefreshTokens,
  endEverySession,
  endOtherSessions,
  endSession,
  endWeakerSessions,
  findLiveSession,
  insertRefreshToken,
  insertSession,
  listLiveSessions,
  proveSession,
  weakenSessions,
} from './store.ts'

/** Where a request comes from. */
export interface Client {
  ip: string
  /** At most 256 characters of it. */
  userAgent: string
  requestId: string
  /** It was no request, but the people who run the service; `ip` is empty then. */
  operator?: true
  /** Fires when the client has gone away. */
  signal?: AbortSignal
}

/** One login. Its id is the `sid` of the access tokens; times are epoch milliseconds. */
export interface Session {
  id: string
  accountId: string
  amr: readonly Amr[]
  acr: Acr
  /** When a factor was last proven in this session; refreshing is not proving. */
  authTime: number
  createdAt: number
  lastUsedAt: number
  idleExpiresAt: number
  /** The absolute end. */
  expiresAt: number
  ip: string
  userAgent: string
}

/** Who is behind an access token. */
export interface SignedIn {
  account: Account
  session: Session
}

/** The refresh token of a session, in clear: known to the client alone once the answer is sent. */
export interface RefreshToken {
  token: string
  /** Epoch milliseconds. */
  expiresAt: number
}

/** What a successful sign-in or refresh hands out. */
export interface Grant extends SignedIn {
  refreshToken: RefreshToken
}

/** A session ends for good after so many refresh token lifetimes, however often it is refreshed. */
export const ABSOLUTE_LIFETIMES = 3

export interface Sessions {
  /** Begins a session with its first refresh token; only the token's hash is stored. */
  open(trx: Trx, account: Account, amr: readonly Amr[], client: Client): Promise<Grant>
  /** The session while it lasts. */
  find(db: Db, id: string): Promise<Session | undefined>
  /** The live sessions of an account, the one used last first. */
  list(accountId: string): Promise<Session[]>
  /**
   * A factor was proven anew in a session: its `auth_time` is now, its methods are these.
   *
   * @throws {AppError} invalid_token when the session has ended meanwhile.
   */
  prove(trx: Trx, session: Session, amr: readonly Amr[]): Promise<Session>
  /** A new refresh token in place of all before it: also a retry of one that was just used gets nothing. */
  renewRefreshToken(trx: Trx, session: Session): Promise<RefreshToken>
  /** @returns whether the account had such a live session. */
  end(trx: Trx, account: Account, id: string, client: Client): Promise<boolean>
  /** Ends the account's sessions that are less sure than this one. */
  endWeaker(trx: Trx, session: Session): Promise<void>
  /** Ends every session of the account but one. */
  endOthers(trx: Trx, signedIn: SignedIn, client: Client): Promise<void>
  endAll(trx: Trx, accountId: string): Promise<void>
  /** Ends every session of every account. @returns how many there were. */
  endEvery(trx: Trx): Promise<number>
  /** The account has no factor any more: its sessions are as sure as a password. */
  weaken(trx: Trx, accountId: string): Promise<void>
}

/** @param refreshTtl the life of an unused refresh token in seconds. */
export function makeSessions({
  db,
  clock,
  keyedHash,
  trail,
  refreshTtl,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  trail: AuditTrail
  refreshTtl: number
}): Sessions {
  const idleMs = refreshTtl * 1000

  async function newRefreshToken(trx: Trx, session: Session): Promise<RefreshToken> {
    const refreshToken = { token: newOpaqueToken(), expiresAt: session.idleExpiresAt }
    await insertRefreshToken(trx, {
      tokenHash: keyedHash('refresh token', refreshToken.token),
      sessionId: session.id,
      createdAt: clock.now(),
      expiresAt: refreshToken.expiresAt,
    })
    return refreshToken
  }

  return {
    async open(trx, account, amr, client) {
      const now = clock.now()
      const session: Session = {
        id: newId(clock),
        accountId: account.id,
        amr,
        acr: acrOf(amr),
        authTime: now,
        createdAt: now,
        lastUsedAt: now,
        idleExpiresAt: now + idleMs,
        expiresAt: now + ABSOLUTE_LIFETIMES * idleMs,
        ip: client.ip,
        userAgent: client.userAgent,
      }
      await insertSession(trx, session)
      await trail.record(trx, 'session_started', { account, sessionId: session.id }, client)
      return { account, session, refreshToken: await newRefreshToken(trx, session) }
    },

    find: (db, id) => findLiveSession(db, id, clock.now()),
    list: (accountId) => listLiveSessions(db, accountId, clock.now()),

    async prove(trx, session, amr) {
      const proven = { ...session, amr, acr: acrOf(amr), authTime: clock.now() }
      if (!(await proveSession(trx, proven))) throw invalidToken('the session has ended')
      return proven
    },

    async renewRefreshToken(trx, session) {
      await deleteRefreshTokens(trx, session.id)
      return newRefreshToken(trx, session)
    },

    async end(trx, account, id, client) {
      const ended = await endSession(trx, id, account.id, clock.now())
      if (ended) await trail.record(trx, 'session_ended', { account, sessionId: id }, client)
      return ended
    },
    endWeaker: (trx, session) => endWeakerSessions(trx, session, clock.now()),
    async endOthers(trx, { account, session }, client) {
      await endOtherSessions(trx, account.id, session.id, clock.now())
      await trail.record(trx, 'other_sessions_ended', { account, sessionId: session.id }, client)
    },
    endAll: (trx, accountId) => endOtherSessions(trx, accountId, '', clock.now()),
    endEvery: (trx) => endEverySession(trx, clock.now()),
    weaken: weakenSessions,
  }
}
