import type { Db, Trx } from '../platform/database.ts'
import { type Account, accountFromRow } from './account.ts'
import { usernameKey } from './username.ts'

export async function findAccountById(db: Db, id: string): Promise<Account | undefined> {
  const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
  return row && accountFromRow(row)
}

export async function findAccountByUsername(db: Db, username: string): Promise<Account | undefined> {
  const row = await db
    .selectFrom('accounts')
    .selectAll()
    .where('username_key', '=', usernameKey(username))
    .executeTakeFirst()
  return row && accountFromRow(row)
}

/** @returns `undefined` when another account has the username, however the two requests raced. */
export async function insertAccount(
  trx: Trx,
  account: { id: string; username: string; email: string | null; passwordHash: string; createdAt: number },
): Promise<Account | undefined> {
  const row = await trx
    .insertInto('accounts')
    .values({
      id: account.id,
      username: account.username,
      username_key: usernameKey(account.username),
      email: account.email,
      email_verified_at: null,
      password_hash: account.passwordHash,
      password_set_at: account.createdAt,
      created_at: account.createdAt,
      disabled_at: null,
    })
    .onConflict((conflict) => conflict.column('username_key').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row && accountFromRow(row)
}

/** Stores the same password at today's cost, unless it was changed or rehashed meanwhile. */
export async function replacePasswordHash(db: Db, account: Account, passwordHash: string): Promise<void> {
  await db
    .updateTable('accounts')
    .set({ password_hash: passwordHash })
    .where('id', '=', account.id)
    .where('password_hash', '=', account.passwordHash)
    .execute()
}
