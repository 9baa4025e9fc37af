import { type Selectable, sql } from 'kysely'
import { batchesOf } from '../platform/batches.ts'
import type { Db } from '../platform/database.ts'
import type { AccountsTable } from './tables.ts'

const COLUMNS = [
  'id',
  'username',
  'email',
  'email_verified_at',
  'password_hash',
  'disabled_at',
  'created_at',
  'roles',
] as const

/** An account as an operator sees it. Times are epoch milliseconds. */
export type ListedAccount = Selectable<Pick<AccountsTable, (typeof COLUMNS)[number]>>

/**
 * Accounts in the order of their names.
 *
 * @param after the name, in lower case, after which the list continues.
 */
export async function listAccounts(
  db: Db,
  {
    after = '',
    search,
    disabled = false,
    limit,
  }: { after?: string; search?: string; disabled?: boolean; limit: number },
): Promise<ListedAccount[]> {
  let accounts = db.selectFrom('accounts').select(COLUMNS).where('username_key', '>', after)
  if (disabled) accounts = accounts.where('disabled_at', 'is not', null)
  if (search) {
    const part = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    accounts = accounts.where((eb) =>
      eb.or([
        sql<boolean>`username_key like ${part} escape '\\'`,
        sql<boolean>`lower(email) like ${part} escape '\\'`,
      ]),
    )
  }
  return accounts.orderBy('username_key').limit(limit).execute()
}

/**
 * Accounts in the order of their ids, oldest first.
 *
 * @param after the id after which the list continues.
 */
export async function listAccountsById(db: Db, after: string, limit: number): Promise<ListedAccount[]> {
  const accounts = db.selectFrom('accounts').select(COLUMNS).where('id', '>', after)
  return accounts.orderBy('id').limit(limit).execute()
}

/** The address that was proven last. */
export async function lastProvenAddress(db: Db): Promise<string | null> {
  const proven = db.selectFrom('accounts').select('email').where('email_verified_at', 'is not', null)
  const row = await proven
    .where('disabled_at', 'is', null)
    .orderBy('email_verified_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.email ?? null
}

export async function countAccounts(db: Db): Promise<number> {
  const { accounts } = await db
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll().as('accounts'))
    .executeTakeFirstOrThrow()
  return Number(accounts)
}

/** The current usernames of these accounts, by id. Accounts that are gone are left out. */
export async function usernamesOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  for (const some of batchesOf(ids)) {
    const rows = await db.selectFrom('accounts').select(['id', 'username']).where('id', 'in', some).execute()
    for (const { id, username } of rows) names.set(id, username)
  }
  return names
}
