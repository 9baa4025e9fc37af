import type { Selectable } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import { prepared } from '../platform/prepared.ts'
import type {
  HashKeysTable,
  RefreshTokensTable,
  SessionsTable,
  SigningKeysTable,
} from '../platform/tables.ts'
import type { Amr } from './assurance.ts'
import type { Session } from './sessions.ts'

const begunSession = prepared((db, session: Omit<Session, 'amr'> & { amr: string }) =>
  db.insertInto('sessions').values({
    id: session.id,
    account_id: session.accountId,
    amr: session.amr,
    acr: session.acr,
    auth_time: session.authTime,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    idle_expires_at: session.idleExpiresAt,
    expires_at: session.expiresAt,
    ended_at: null,
    ip: session.ip,
    user_agent: session.userAgent,
  }),
)

export async function insertSession(trx: Trx, session: Session): Promise<void> {
  await begunSession.run(trx, { ...session, amr: session.amr.join(' ') })
}

function liveSessions(db: Db, now: number) {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '>', now)
}

const liveSession = prepared((db, { id, now }: { id: string; now: number }) =>
  liveSessions(db, now).where('id', '=', id),
)

export async function findLiveSession(db: Db, id: string, now: number): Promise<Session | undefined> {
  const row = await liveSession.first(db, { id, now })
  return row && sessionFromRow(row)
}

export async function listLiveSessions(db: Db, accountId: string, now: number): Promise<Session[]> {
  const rows = await liveSessions(db, now)
    .where('account_id', '=', accountId)
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map(sessionFromRow)
}

function sessionFromRow(row: Selectable<SessionsTable>): Session {
  return {
    id: row.id,
    accountId: row.account_id,
    amr: row.amr.split(' ') as Amr[],
    acr: row.acr,
    authTime: row.auth_time,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
    ip: row.ip,
    userAgent: row.user_agent,
  }
}

/** @returns whether the session was still live. */
export async function proveSession(trx: Trx, session: Session): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ amr: session.amr.join(' '), acr: session.acr, auth_time: session.authTime })
    .where('id', '=', session.id)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Nothing but the password stands behind the account's sessions from now on. */
export async function weakenSessions(trx: Trx, accountId: string): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ amr: 'pwd', acr: 'aal1' })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .execute()
}

type Touch = Pick<Session, 'id' | 'lastUsedAt' | 'idleExpiresAt' | 'ip' | 'userAgent'>

const touched = prepared((db, session: Touch) =>
  db
    .updateTable('sessions')
    .set({
      last_used_at: session.lastUsedAt,
      idle_expires_at: session.idleExpiresAt,
      ip: session.ip,
      user_agent: session.userAgent,
    })
    .where('id', '=', session.id),
)

/** The session was used: it lives on until its new idle end, and was seen from there. */
export async function touchSession(trx: Trx, session: Touch): Promise<void> {
  await touched.run(trx, session)
}

/** @returns whether this call was the one that ended it. */
export async function endSession(trx: Trx, id: string, accountId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

export async function endOtherSessions(
  trx: Trx,
  accountId: string,
  keptId: string,
  now: number,
): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('account_id', '=', accountId)
    .where('id', '!=', keptId)
    .where('ended_at', 'is', null)
    .execute()
}

/** @returns how many were live. */
export async function endEverySession(trx: Trx, now: number): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

export async function endWeakerSessions(trx: Trx, session: Session, now: number): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('account_id', '=', session.accountId)
    // The levels sort by their names.
    .where('acr', '<', session.acr)
    .where('ended_at', 'is', null)
    .execute()
}

interface NewRefreshToken {
  tokenHash: string
  sessionId: string
  createdAt: number
  expiresAt: number
}

const newRefreshToken = prepared((db, token: NewRefreshToken) =>
  db.insertInto('refresh_tokens').values({
    token_hash: token.tokenHash,
    session_id: token.sessionId,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    rotated_at: null,
  }),
)

export async function insertRefreshToken(trx: Trx, token: NewRefreshToken): Promise<void> {
  await newRefreshToken.run(trx, token)
}

const rotated = prepared((db, { tokenHash, now }: { tokenHash: string; now: number }) =>
  db
    .updateTable('refresh_tokens')
    .set({ rotated_at: now })
    .where('token_hash', '=', tokenHash)
    .where('rotated_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('session_id'),
)

/**
 * Marks a refresh token as used.
 *
 * @returns its session when this call was the one that used it.
 */
export async function rotateRefreshToken(
  trx: Trx,
  tokenHash: string,
  now: number,
): Promise<string | undefined> {
  return (await rotated.first(trx, { tokenHash, now }))?.session_id
}

const refreshTokenOwner = prepared((db, { tokenHash }: { tokenHash: string }) =>
  db
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .select('account_id')
    .where('token_hash', '=', tokenHash),
)

/** The account whose session the token is of, live or not. */
export async function findRefreshTokenOwner(db: Db, tokenHash: string): Promise<string | undefined> {
  return (await refreshTokenOwner.first(db, { tokenHash }))?.account_id
}

export async function findRefreshToken(
  db: Db,
  tokenHash: string,
): Promise<Selectable<RefreshTokensTable> | undefined> {
  return db.selectFrom('refresh_tokens').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst()
}

export async function deleteRefreshTokens(trx: Trx, sessionId: string): Promise<void> {
  await trx.deleteFrom('refresh_tokens').where('session_id', '=', sessionId).execute()
}

export async function listSigningKeys(db: Db): Promise<Selectable<SigningKeysTable>[]> {
  return db.selectFrom('signing_keys').selectAll().orderBy('generation').execute()
}

/** Does nothing when another process has made this generation. */
export async function insertSigningKey(db: Db, key: Selectable<SigningKeysTable>): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values(key)
    .onConflict((conflict) => conflict.column('generation').doNothing())
    .execute()
}

export async function deleteSigningKeys(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await db.deleteFrom('signing_keys').where('id', 'in', ids).execute()
}

export async function findHashKey(db: Db, id: string): Promise<Selectable<HashKeysTable> | undefined> {
  return db.selectFrom('hash_keys').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Does nothing when another process was first. */
export async function insertHashKey(db: Db, key: Selectable<HashKeysTable>): Promise<void> {
  await db
    .insertInto('hash_keys')
    .values(key)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}
