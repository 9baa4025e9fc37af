import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import { invalidRefreshToken, refreshedTooOften } from '../errors.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import { networkOf } from '../values/network.ts'
import { showsSecondFactor } from './assurance.ts'
import {
  findRefreshToken,
  findRefreshTokenOwner,
  newRefreshToken,
  noteRepeat,
  rotated,
} from './refresh-token-store.ts'
import type { TokensRoom } from './room.ts'
import type { Grant, Session } from './session.ts'
import { endSession, findLiveSession, noteRepeatedRefresh, touched } from './store.ts'

/**
 * For this long after its use, a refresh token is answered again to the same network: a lost answer, or two tabs at
 * once, must not end a session.
 */
const REPEAT_MS = 60_000

/** A refresh token, and the `Idempotency-Key` that the client has made for its use. */
export interface ShownRefreshToken {
  token: string
  idempotencyKey: string | undefined
}

/** Refreshes of one session in a minute: a token that is used is kept for as long as its successor can live. */
export const REFRESHES_A_MINUTE = 10
const MINUTE_MS = 60_000

/**
 * Swaps a refresh token for its successor and a new access token. A repeat gets the same successor, so that the session
 * does not fork, and only while that one is unused: its use proves that the answer has arrived.
 *
 * @throws {AppError} invalid_refresh_token; rate_limited, and the token is as good as before then
 * @throws {AppError} unavailable, when no key can sign the answer; likewise
 */
export async function refresh(
  room: TokensRoom,
  { token, idempotencyKey }: ShownRefreshToken,
  caller: Caller,
): Promise<Grant> {
  const { accounts, clock, db, keyedHash, refreshTtl, signingKeys, trail } = room
  // Before the token is spent: a later repeat of one whose answer never came would end the session.
  signingKeys.current()
  const tokenHash = keyedHash('refresh token', token)
  const idempotencyKeyHash =
    idempotencyKey === undefined ? null : keyedHash('idempotency key', token, idempotencyKey)

  const grant = await inTransaction(db, async (trx): Promise<Grant | null> => {
    const owner = await findRefreshTokenOwner(trx, tokenHash)
    if (!owner) throw invalidRefreshToken('it is unknown')
    const now = clock.now()
    const keptUntil = now + refreshTtl * 1000
    const [account, rotation, found] = await together(
      accounts.lock(trx, owner.account_id),
      rotated.first(trx, { tokenHash, idempotencyKeyHash, now, keptUntil }),
      findLiveSession(trx, owner.session_id, now),
    )
    if (!account) throw invalidRefreshToken('it is unknown')
    if (rotation) {
      const before = requireLive(room, found, account)
      const idleExpiresAt = Math.min(keptUntil, before.expiresAt)
      const session = { ...before, lastUsedAt: now, idleExpiresAt, ...countRefresh(before, now) }
      const successor = await succeed(room, trx, token, session, caller)
      await trail.record(trx, 'token_refreshed', { account, sessionId: session.id }, caller)
      return { account, session, refreshToken: { token: successor, expiresAt: idleExpiresAt } }
    }

    const used = await findRefreshToken(trx, tokenHash)
    if (!used || used.rotated_at === null) throw invalidRefreshToken('it is expired')
    const session = requireLive(room, found, account)
    const successor = keyedHash('refresh successor', token)
    const next = await findRefreshToken(trx, keyedHash('refresh token', successor))
    const sameKey = idempotencyKeyHash !== null && idempotencyKeyHash === used.idempotency_key_hash
    // While the successor is unused, the first use was the last one of the session: `ip` is where it came from.
    const sameNetwork = networkOf(caller.ip) === networkOf(session.ip)
    const soon = Math.abs(now - used.rotated_at) <= REPEAT_MS
    if (next?.rotated_at === null && (sameKey || (sameNetwork && soon))) {
      await noteRepeatedRefresh(trx, session.id, now)
      // Only the first one has a row: the sender chooses how many there are.
      if (await noteRepeat(trx, tokenHash, now))
        await trail.record(trx, 'token_refresh_repeated', { account, sessionId: session.id }, caller)
      return { account, session, refreshToken: { token: successor, expiresAt: session.idleExpiresAt } }
    }

    // Two clients hold the token, and one of them stole it (RFC 9700 section 4.14.2). Returned instead of thrown: an
    // error would roll the end of the session back.
    await endSession(trx, session.id, account.id, now)
    await trail.record(trx, 'refresh_token_reused', { account, sessionId: session.id }, caller)
    return null
  })

  if (!grant) throw invalidRefreshToken('it was used before; its session is ended')
  return grant
}

function requireLive({ mfaRequired }: TokensRoom, session: Session | undefined, account: Account): Session {
  if (!session || account.disabled) throw invalidRefreshToken('its session has ended or its account is gone')
  if (mfaRequired && !showsSecondFactor(session.amr))
    throw invalidRefreshToken('its session has shown no second factor, which is required now')
  return session
}

/** A repeat that is answered is not counted. @throws {AppError} rate_limited */
function countRefresh(
  { refreshesSince, refreshes }: Session,
  now: number,
): Pick<Session, 'refreshesSince' | 'refreshes'> {
  // The minute is over, or a clock that was ahead began it.
  if (Math.abs(now - refreshesSince) >= MINUTE_MS) return { refreshesSince: now, refreshes: 1 }
  if (refreshes >= REFRESHES_A_MINUTE)
    throw refreshedTooOften(Math.ceil((refreshesSince + MINUTE_MS - now) / 1000))
  return { refreshesSince, refreshes: refreshes + 1 }
}

/** Computes the successor from its predecessor, so that every retry gets the same one. */
async function succeed(
  { keyedHash }: TokensRoom,
  trx: Trx,
  token: string,
  session: Session,
  caller: Caller,
): Promise<string> {
  const successor = keyedHash('refresh successor', token)
  await newRefreshToken.run(trx, {
    tokenHash: keyedHash('refresh token', successor),
    sessionId: session.id,
    createdAt: session.lastUsedAt,
    expiresAt: session.idleExpiresAt,
  })
  await touched.run(trx, { ...session, ip: caller.ip, userAgent: caller.userAgent })
  return successor
}
