import type { Db, Trx } from '../platform/database.ts'
import { prepared } from '../platform/prepared.ts'
import { type Account, accountFromRow } from './account.ts'
import type { ImportedAccount } from './import-accounts.ts'
import { usernameKey } from './username.ts'

const accountById = prepared((db, { id }: { id: string }) =>
  db.selectFrom('accounts').selectAll().where('id', '=', id),
)

export async function findAccountById(db: Db, id: string): Promise<Account | undefined> {
  const row = await accountById.first(db, { id })
  return row && accountFromRow(row)
}

const accountForUpdate = prepared((db, { id }: { id: string }) =>
  db.selectFrom('accounts').selectAll().where('id', '=', id).forUpdate(),
)

/** As it stands now, and for this transaction alone until it ends. */
export async function lockAccount(trx: Trx, id: string): Promise<Account | undefined> {
  const row = await accountForUpdate.first(trx, { id })
  return row && accountFromRow(row)
}

const accountByKey = prepared((db, { key }: { key: string }) =>
  db.selectFrom('accounts').selectAll().where('username_key', '=', key),
)

export async function findAccountByUsername(db: Db, username: string): Promise<Account | undefined> {
  // PostgreSQL has no such character and refuses to be asked for it; no account has it either.
  if (username.includes('\0')) return undefined
  const row = await accountByKey.first(db, { key: usernameKey(username) })
  return row && accountFromRow(row)
}

/** @returns `undefined` when another account has the username, however the two requests raced. */
export async function insertAccount(
  trx: Trx,
  account: {
    id: string
    username: string
    email: string | null
    emailVerifiedAt: number | null
    passwordHash: string
    createdAt: number
  },
): Promise<Account | undefined> {
  const row = await trx
    .insertInto('accounts')
    .values({
      id: account.id,
      username: account.username,
      username_key: usernameKey(account.username),
      email: account.email,
      email_verified_at: account.emailVerifiedAt,
      email_factor_at: null,
      password_hash: account.passwordHash,
      password_set_at: account.createdAt,
      password_by_mail_at: null,
      created_at: account.createdAt,
      disabled_at: null,
    })
    .onConflict((conflict) => conflict.column('username_key').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row && accountFromRow(row)
}

/** The names (in lower case) and the ids among these that accounts have already. */
export async function findTaken(
  db: Db,
  some: readonly { id: string; username: string }[],
): Promise<{ keys: Set<string>; ids: Set<string> }> {
  const [ids, keys] = [some.map(({ id }) => id), some.map(({ username }) => usernameKey(username))]
  const rows = await db
    .selectFrom('accounts')
    .select(['id', 'username_key'])
    .where((eb) => eb.or([eb('id', 'in', ids), eb('username_key', 'in', keys)]))
    .execute()
  return { keys: new Set(rows.map((row) => row.username_key)), ids: new Set(rows.map((row) => row.id)) }
}

/** @returns the ids of those whose name and id were free. */
export async function insertAccounts(
  trx: Trx,
  accounts: readonly ImportedAccount[],
  now: number,
): Promise<string[]> {
  const rows = await trx
    .insertInto('accounts')
    .values(
      accounts.map((account) => ({
        id: account.id,
        username: account.username,
        username_key: usernameKey(account.username),
        email: account.email,
        email_verified_at: account.emailVerifiedAt,
        email_factor_at: null,
        password_hash: account.passwordHash,
        password_set_at: now,
        password_by_mail_at: null,
        created_at: account.createdAt,
        disabled_at: account.disabledAt,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

/**
 * A code from the mailbox came back: the address is proven, and codes to it are a factor from now on.
 *
 * @returns whether they were none before.
 */
export async function proveMailbox(trx: Trx, accountId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set((eb) => ({
      email_verified_at: eb.fn.coalesce('email_verified_at', eb.val(now)),
      email_factor_at: now,
    }))
    .where('id', '=', accountId)
    .where('email_factor_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Codes by mail are no factor of the account any more. */
export async function dropEmailFactor(trx: Trx, accountId: string): Promise<void> {
  await trx.updateTable('accounts').set({ email_factor_at: null }).where('id', '=', accountId).execute()
}

/** The proven address of the account from now on. */
export async function replaceEmail(
  trx: Trx,
  accountId: string,
  address: string,
  now: number,
): Promise<Account> {
  const row = await trx
    .updateTable('accounts')
    .set({ email: address, email_verified_at: now })
    .where('id', '=', accountId)
    .returningAll()
    .executeTakeFirstOrThrow()
  return accountFromRow(row)
}

/**
 * @param passwordSetAt of the password that was checked.
 * @returns whether the password was still that one.
 */
export async function replacePassword(
  trx: Trx,
  accountId: string,
  passwordHash: string,
  now: number,
  passwordSetAt: number,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set({ password_hash: passwordHash, password_set_at: now })
    .where('id', '=', accountId)
    .where('password_set_at', '=', passwordSetAt)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** @param byMail whether the mailbox alone stands for it. */
export async function resetPassword(
  trx: Trx,
  accountId: string,
  passwordHash: string,
  now: number,
  byMail: boolean,
): Promise<void> {
  await trx
    .updateTable('accounts')
    .set({ password_hash: passwordHash, password_set_at: now, password_by_mail_at: byMail ? now : null })
    .where('id', '=', accountId)
    .execute()
}

/** A factor other than the mailbox was shown. */
export async function trustMailbox(trx: Trx, accountId: string): Promise<void> {
  await trx.updateTable('accounts').set({ password_by_mail_at: null }).where('id', '=', accountId).execute()
}

/** @returns whether the account was open. */
export async function closeAccount(trx: Trx, accountId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set({ disabled_at: now })
    .where('id', '=', accountId)
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** @returns whether the account was closed. */
export async function openAccount(trx: Trx, accountId: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set({ disabled_at: null })
    .where('id', '=', accountId)
    .where('disabled_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

/** Everything that belongs to the account goes with it. */
export async function deleteAccount(trx: Trx, accountId: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('accounts')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow()
  return numDeletedRows === 1n
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
