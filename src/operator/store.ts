import type { Selectable } from 'kysely'
import { sql } from 'kysely'
import type { Actor, EventName } from '../audit/events.ts'
import type { Db } from '../platform/database.ts'
import type { AuditEventsTable } from '../platform/tables.ts'

/** An account in a list. Times are epoch milliseconds. */
export interface ListedAccount {
  id: string
  username: string
  email: string | null
  email_verified_at: number | null
  email_factor_at: number | null
  totp_confirmed_at: number | null
  disabled_at: number | null
  created_at: number
}

/** Accounts, each with its active authenticator if it has one. */
function accountsWithAuthenticator(db: Db) {
  return db
    .selectFrom('accounts')
    .leftJoin('totp_factors', (join) =>
      join.onRef('totp_factors.account_id', '=', 'accounts.id').on('totp_factors.state', '=', 'active'),
    )
}

/** Accounts in the order of their names. @param after the name to go on after, in lower case. */
export async function listAccounts(
  db: Db,
  {
    after = '',
    search,
    disabled = false,
    limit,
  }: { after?: string; search?: string; disabled?: boolean; limit: number },
): Promise<ListedAccount[]> {
  let accounts = accountsWithAuthenticator(db)
    .select([
      'accounts.id',
      'username',
      'email',
      'email_verified_at',
      'email_factor_at',
      'totp_factors.confirmed_at as totp_confirmed_at',
      'disabled_at',
      'accounts.created_at',
    ])
    .where('username_key', '>', after)
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

export interface EventFilter {
  accountId?: string
  event?: EventName
  actor?: Actor
  /** Epoch milliseconds. */
  since?: number
  limit: number
}

/** An event with the name that its account has now; `null` when it has gone. */
export type ListedEvent = Selectable<AuditEventsTable> & { username: string | null }

/** The latest events, the oldest of them first. */
export async function listEvents(
  db: Db,
  { accountId, event, actor, since, limit }: EventFilter,
): Promise<ListedEvent[]> {
  let events = db
    .selectFrom('audit_events')
    .leftJoin('accounts', 'accounts.id', 'audit_events.account_id')
    .selectAll('audit_events')
    .select('accounts.username')
  if (accountId) events = events.where('audit_events.account_id', '=', accountId)
  if (event) events = events.where('event', '=', event)
  if (actor) events = events.where('actor', '=', actor)
  if (since !== undefined) events = events.where('at', '>=', since)
  return (await events.orderBy('audit_events.id', 'desc').limit(limit).execute()).reverse()
}

export async function countAccounts(db: Db): Promise<number> {
  const { accounts } = await db
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll().as('accounts'))
    .executeTakeFirstOrThrow()
  return Number(accounts)
}

/** An account with its active authenticator, if it has one. */
export type ExportedRow = Awaited<ReturnType<typeof listForExport>>[number]

/** In the order of their ids. @param after the id to go on after. */
export async function listForExport(db: Db, after: string, limit: number) {
  return accountsWithAuthenticator(db)
    .select([
      'accounts.id',
      'username',
      'email',
      'email_verified_at',
      'password_hash',
      'disabled_at',
      'accounts.created_at',
      'totp_factors.id as factor_id',
      'sealed_secret',
    ])
    .where('accounts.id', '>', after)
    .orderBy('accounts.id')
    .limit(limit)
    .execute()
}
