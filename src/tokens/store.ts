import type { Selectable } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import type { HashKeysTable, SigningKeysTable } from '../platform/tables.ts'
import type { Amr } from './assurance.ts'
import type { Session } from './sessions.ts'

export async function insertSession(
  trx: Trx,
  session: Session,
  origin: { ip: string; userAgent: string },
): Promise<void> {
  await trx
    .insertInto('sessions')
    .values({
      id: session.id,
      account_id: session.accountId,
      amr: session.amr.join(' '),
      acr: session.acr,
      auth_time: session.authTime,
      created_at: session.authTime,
      last_used_at: session.authTime,
      expires_at: session.expiresAt,
      ended_at: null,
      ip: origin.ip,
      user_agent: origin.userAgent,
    })
    .execute()
}

export async function insertRefreshToken(
  trx: Trx,
  token: { tokenHash: string; sessionId: string; createdAt: number; expiresAt: number },
): Promise<void> {
  await trx
    .insertInto('refresh_tokens')
    .values({
      token_hash: token.tokenHash,
      session_id: token.sessionId,
      created_at: token.createdAt,
      expires_at: token.expiresAt,
      rotated_at: null,
    })
    .execute()
}

export async function findLiveSession(db: Db, id: string, now: number): Promise<Session | undefined> {
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return (
    row && {
      id: row.id,
      accountId: row.account_id,
      amr: row.amr.split(' ') as Amr[],
      acr: row.acr,
      authTime: row.auth_time,
      expiresAt: row.expires_at,
    }
  )
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
