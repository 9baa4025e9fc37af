import { type Insertable, sql } from 'kysely'
import { type Db, type Trx, wroteOne } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import { usernameKey } from '../values/username.ts'
import { type Account, accountFromRow } from './account.ts'
import type { ImportedAccount } from './imported-account.ts'
import type { AccountsTable } from './tables.ts'

const accountById = prepared((db, param: Params<{ id: string }>) =>
  db.selectFrom('accounts').selectAll().where('id', '=', param('id')),
)

export async function findAccountById(db: Db, id: string): Promise<Account | undefined> {
  const row = await accountById.first(db, { id })
  return row && accountFromRow(row)
}

const accountForUpdate = prepared((db, param: Params<{ id: string }>) =>
  db.selectFrom('accounts').selectAll().where('id', '=', param('id')).forUpdate(),
)

/** Reads the account and locks it until the transaction ends. */
export async function lockAccount(trx: Trx, id: string): Promise<Account | undefined> {
  const row = await accountForUpdate.first(trx, { id })
  return row && accountFromRow(row)
}

/** Locks some account that can be locked, for a trial; waits for one where all are locked. */
export async function lockAnyAccount(trx: Trx): Promise<void> {
  const one = trx.selectFrom('accounts').select('id').limit(1).forUpdate()
  if (!(await one.skipLocked().executeTakeFirst())) await one.execute()
}

const accountByKey = prepared((db, param: Params<{ key: string }>) =>
  db.selectFrom('accounts').selectAll().where('username_key', '=', param('key')),
)

export async function findAccountByUsername(db: Db, username: string): Promise<Account | undefined> {
  // PostgreSQL has no NUL character and refuses a query with one. No account has it either.
  if (username.includes('\0')) return undefined
  const row = await accountByKey.first(db, { key: usernameKey(username) })
  return row && accountFromRow(row)
}

const accountsByAddress = prepared((db, param: Params<{ address: string; limit: number }>) =>
  db
    .selectFrom('accounts')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('username_key', '=', param('address')),
        eb.and([
          eb(sql`lower(email)`, '=', param('address')),
          eb('email_verified_at', 'is not', null),
          eb('disabled_at', 'is', null),
        ]),
      ]),
    )
    .orderBy((eb) => eb('username_key', '=', param('address')), 'desc')
    .orderBy('id')
    .limit(param('limit')),
)

/**
 * The account whose username this is comes first, then open ones that have proven it as their address.
 *
 * @param address in lower case.
 */
export async function findAccountsByAddress(db: Db, address: string, limit: number): Promise<Account[]> {
  return (await accountsByAddress.all(db, { address, limit })).map(accountFromRow)
}

/** The row of a new account, which has what an imported one has. */
function newRow(
  account: Omit<ImportedAccount, 'secrets'>,
  passwordSetAt: number,
  unenrolledSince: number | null,
): Insertable<AccountsTable> {
  return {
    id: account.id,
    username: account.username,
    username_key: usernameKey(account.username),
    email: account.email,
    email_verified_at: account.emailVerifiedAt,
    password_hash: account.passwordHash,
    password_set_at: passwordSetAt,
    created_at: account.createdAt,
    disabled_at: account.disabledAt,
    unenrolled_since: unenrolledSince,
    roles: account.roles.join(' '),
  }
}

/** @returns `undefined` when another account has the username, also when both requests came at once. */
export async function insertAccount(
  trx: Trx,
  account: Omit<ImportedAccount, 'secrets' | 'disabledAt' | 'roles'> & { unenrolledSince: number | null },
): Promise<Account | undefined> {
  const row = await trx
    .insertInto('accounts')
    .values(newRow({ ...account, disabledAt: null, roles: [] }, account.createdAt, account.unenrolledSince))
    .onConflict((conflict) => conflict.column('username_key').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row && accountFromRow(row)
}

/** Which of these usernames (in lower case) and ids are taken. */
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

/** @returns the ids of the accounts whose name and id were free. */
export async function insertAccounts(
  trx: Trx,
  accounts: readonly ImportedAccount[],
  now: number,
): Promise<string[]> {
  const rows = await trx
    .insertInto('accounts')
    .values(accounts.map((account) => newRow(account, now, null)))
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

const accountOf = (db: Db, id: string) => db.updateTable('accounts').where('id', '=', id)

/** A code that was mailed to the address came back. */
export async function proveAddress(trx: Trx, accountId: string, now: number): Promise<void> {
  await accountOf(trx, accountId)
    .set((eb) => ({
      email_verified_at: eb.fn.coalesce('email_verified_at', eb.val(now)),
      unenrolled_since: null,
    }))
    .execute()
}

/** Sets the proven address of the account. */
export async function replaceEmail(
  trx: Trx,
  accountId: string,
  address: string,
  now: number,
): Promise<Account> {
  const row = await accountOf(trx, accountId)
    .set({ email: address, email_verified_at: now, unenrolled_since: null })
    .returningAll()
    .executeTakeFirstOrThrow()
  return accountFromRow(row)
}

/**
 * @param replacedSetAt only while the password of this time is that of the account: it was checked.
 * @returns whether it was.
 */
export async function setPassword(
  trx: Trx,
  accountId: string,
  passwordHash: string,
  now: number,
  replacedSetAt?: number,
): Promise<boolean> {
  const write = accountOf(trx, accountId).set({ password_hash: passwordHash, password_set_at: now })
  return wroteOne(replacedSetAt === undefined ? write : write.where('password_set_at', '=', replacedSetAt))
}

/** @returns whether the account still had this count. It only grows: a token that is void stays void. */
export async function countChange(trx: Trx, accountId: string, count: number): Promise<boolean> {
  return wroteOne(
    accountOf(trx, accountId)
      .set({ change_count: count + 1 })
      .where('change_count', '=', count),
  )
}

/** The account is taken up by an operator. @returns whether it had other roles. */
export async function replaceRoles(trx: Trx, accountId: string, roles: string): Promise<boolean> {
  return wroteOne(
    accountOf(trx, accountId).set({ roles, unenrolled_since: null }).where('roles', '!=', roles),
  )
}

/** @throws the error of the database when another account has the username. */
export async function replaceUsername(trx: Trx, accountId: string, username: string): Promise<void> {
  await accountOf(trx, accountId)
    .set({ username, username_key: usernameKey(username), unenrolled_since: null })
    .execute()
}

/** @returns whether the account was open. */
export async function closeAccount(trx: Trx, accountId: string, now: number): Promise<boolean> {
  return wroteOne(
    accountOf(trx, accountId)
      .set({ disabled_at: now, unenrolled_since: null })
      .where('disabled_at', 'is', null),
  )
}

/** @returns whether the account was closed. */
export async function openAccount(trx: Trx, accountId: string): Promise<boolean> {
  return wroteOne(accountOf(trx, accountId).set({ disabled_at: null }).where('disabled_at', 'is not', null))
}

export const newNetworkAt = prepared((db, param: Params<{ id: string; at: number }>) =>
  db
    .updateTable('accounts')
    .set({ new_network_at: param('at') })
    .where('id', '=', param('id')),
)

export async function keepAccount(trx: Trx, accountId: string): Promise<void> {
  await accountOf(trx, accountId).set({ unenrolled_since: null }).execute()
}

/** Deletes the account; all rows that belong to it go with it. */
export async function deleteAccount(trx: Trx, accountId: string): Promise<boolean> {
  return wroteOne(trx.deleteFrom('accounts').where('id', '=', accountId))
}

/** Stores a new hash of the same password, unless the password was changed or rehashed meanwhile. */
export async function replacePasswordHash(db: Db, account: Account, passwordHash: string): Promise<void> {
  await accountOf(db, account.id)
    .set({ password_hash: passwordHash })
    .where('password_hash', '=', account.passwordHash)
    .execute()
}
