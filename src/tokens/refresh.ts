import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { invalidRefreshToken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { showsSecondFactor } from './assurance.ts'
import type { Client, Grant, Session } from './sessions.ts'
import {
  endSession,
  findLiveSession,
  findRefreshToken,
  findRefreshTokenOwner,
  insertRefreshToken,
  rotateRefreshToken,
  touchSession,
} from './store.ts'

/**
 * For so long after its use a refresh token is answered again: a lost answer, or two tabs at once, must not
 * end a session. The answer is the same successor, so the session does not fork.
 */
const GRACE_MS = 10_000

/**
 * Swaps a refresh token for its successor and a new access token.
 *
 * @throws {AppError} invalid_refresh_token
 */
export type Refresh = (refreshToken: string, client: Client) => Promise<Grant>

/** @param refreshTtl the life of an unused refresh token in seconds. */
export function makeRefresh({
  db,
  clock,
  keyedHash,
  accounts,
  trail,
  refreshTtl,
  mfaRequired,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  accounts: Accounts
  trail: AuditTrail
  refreshTtl: number
  /** Whether a session of the password alone, from before it was required, is good for nothing. */
  mfaRequired: boolean
}): Refresh {
  async function liveSession(trx: Trx, id: string, account: Account): Promise<Session> {
    const session = await findLiveSession(trx, id, clock.now())
    if (!session || account.disabled)
      throw invalidRefreshToken('its session has ended or its account is gone')
    if (mfaRequired && !showsSecondFactor(session.amr))
      throw invalidRefreshToken('its session has shown no second factor, which is required now')
    return session
  }

  /** The successor follows from its predecessor, so that every retry computes the same one. */
  async function succeed(trx: Trx, token: string, session: Session, client: Client): Promise<string> {
    const successor = keyedHash('refresh successor', token)
    await insertRefreshToken(trx, {
      tokenHash: keyedHash('refresh token', successor),
      sessionId: session.id,
      createdAt: session.lastUsedAt,
      expiresAt: session.idleExpiresAt,
    })
    await touchSession(trx, { ...session, ip: client.ip, userAgent: client.userAgent })
    return successor
  }

  return async (token, client) => {
    const tokenHash = keyedHash('refresh token', token)

    const grant = await db.transaction().execute(async (trx): Promise<Grant | null> => {
      const accountId = await findRefreshTokenOwner(trx, tokenHash)
      const account = accountId && (await accounts.lock(trx, accountId))
      if (!account) throw invalidRefreshToken('it is unknown')
      const now = clock.now()
      const sessionId = await rotateRefreshToken(trx, tokenHash, now)
      if (sessionId !== undefined) {
        const before = await liveSession(trx, sessionId, account)
        const idleExpiresAt = Math.min(now + refreshTtl * 1000, before.expiresAt)
        const session = { ...before, lastUsedAt: now, idleExpiresAt }
        const successor = await succeed(trx, token, session, client)
        await trail.record(trx, 'token_refreshed', { account, sessionId }, client)
        return { account, session, refreshToken: { token: successor, expiresAt: idleExpiresAt } }
      }

      const used = await findRefreshToken(trx, tokenHash)
      if (!used || used.rotated_at === null) throw invalidRefreshToken('it is expired')
      const session = await liveSession(trx, used.session_id, account)
      if (Math.abs(now - used.rotated_at) <= GRACE_MS)
        return {
          account,
          session,
          refreshToken: { token: keyedHash('refresh successor', token), expiresAt: session.idleExpiresAt },
        }

      // Two hold the token, and one of them stole it (RFC 9700 section 4.14.2). Not thrown from here: that
      // would roll the end of the session back.
      await endSession(trx, session.id, account.id, now)
      await trail.record(trx, 'refresh_token_reused', { account, sessionId: session.id }, client)
      return null
    })

    if (!grant) throw invalidRefreshToken('it was used before; its session is ended')
    return grant
  }
}
