import type { Selectable } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import type { HashKeysTable, SigningKeysTable } from './tables.ts'

export async function listSigningKeys(db: Db): Promise<Selectable<SigningKeysTable>[]> {
  return db.selectFrom('signing_keys').selectAll().orderBy('generation').execute()
}

/** The same, and no other transaction changes one of them until this one ends. */
export async function lockSigningKeys(trx: Trx): Promise<Selectable<SigningKeysTable>[]> {
  return trx.selectFrom('signing_keys').selectAll().orderBy('generation').forUpdate().execute()
}

/** From when on the schedule has a key sign follows from this time, in epoch milliseconds. */
export async function dateSigningKey(trx: Trx, id: string, createdAt: number): Promise<void> {
  await trx.updateTable('signing_keys').set({ created_at: createdAt }).where('id', '=', id).execute()
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
