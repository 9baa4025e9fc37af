import { sql } from 'kysely'
import type { Account } from '../accounts/account.ts'
import { pendingAddressOf } from '../accounts/pending-address.ts'
import { anywhere, from } from '../attempts/subjects.ts'
import { listAddressesOf, listEvents } from '../audit/list-events.ts'
import { accountSubject, addressSubject } from '../mail/allowance.ts'
import { waitingMailOf } from '../mail/waiting-mail.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Service } from '../service.ts'
import { type NamedTable, tables } from '../tables.ts'
import { networkOf } from '../values/network.ts'

type Row = Record<string, unknown>

/** Of one account: operators alone rename. */
const MOST_RENAMINGS = 1_000

/**
 * Everything that is kept about one account, by table; times are RFC 3339. Secrets and hashes of them are left out.
 *
 * @throws {UnsealError} when a mail that waits opens under none of the keys.
 */
export async function exportPerson(
  service: Pick<Service, 'accounts' | 'box' | 'clock' | 'db' | 'keyedHash'>,
  account: Account,
): Promise<Record<string, unknown>> {
  const { clock, db } = service
  const addresses = await addressesOf(db, account)
  const subjects = await subjectsOf(service, account, addresses)
  const kept: Record<string, unknown> = {}
  for (const table of tables)
    if (table.person) kept[table.name] = await rowsOf(db, table, account.id, subjects)
  const outbox = await waitingMailOf(service, { addresses, username: account.username })
  return { exported_at: rfc3339(clock.now()), ...kept, outbox }
}

/** The address of the account, and the one that its owner has yet to prove. */
async function addressesOf(db: Db, { id, email }: Account): Promise<string[]> {
  const pending = await pendingAddressOf(db, id)
  return [email, pending].filter((address) => address != null)
}

/** The subjects of the counters of an account, and what they stand for. They are hashes, and cannot be listed. */
async function subjectsOf(
  service: Pick<Service, 'accounts' | 'db' | 'keyedHash'>,
  { id, username }: Account,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { db, keyedHash } = service
  const ips = await listAddressesOf(db, id)
  const named = (name: string, label: string) => [
    [anywhere(keyedHash, name), label] as const,
    ...ips.map((ip) => [from(keyedHash, name, ip), `${label} from ${networkOf(ip)}`] as const),
  ]
  return new Map([
    [id, 'account'],
    [accountSubject(keyedHash, id), 'account'],
    ...addresses.map((address) => [addressSubject(keyedHash, address), address] as const),
    ...(await formerNames(service, id)).flatMap((name) => named(name, 'former username')),
    ...named(username, 'username'),
  ])
}

/** The names that an account had before, but for those that another account has now. */
async function formerNames(
  { accounts, db }: Pick<Service, 'accounts' | 'db'>,
  accountId: string,
): Promise<string[]> {
  const renamings = await listEvents(db, { accountId, event: 'account_renamed', limit: MOST_RENAMINGS })
  const names = renamings.map(({ method }) => (method ?? '').replace(/ -> .*/, ''))
  const free = await Promise.all(names.map(async (name) => !(await accounts.byUsername(name))))
  return names.filter((_, index) => free[index])
}

async function rowsOf(
  db: Db,
  { name, person, key, sealed, secrets = [] }: NamedTable,
  accountId: string,
  subjects: ReadonlyMap<string, string>,
): Promise<Row[]> {
  const { column = '', parent, hashed } = person ?? {}
  const owners = hashed ? [...subjects.keys()] : [accountId]
  const owned = parent
    ? sql`${sql.ref(column)} in (select id from ${sql.table(parent)} where account_id = ${accountId})`
    : sql`${sql.ref(column)} in (${sql.join(owners)})`
  const { rows } = await sql<Row>`
    select * from ${sql.table(name)} where ${owned}
    order by ${sql.join(key.map((column) => sql.ref(column)))}`.execute(db)
  const hidden = new Set([...secrets, sealed?.column])
  return rows.map((row) => {
    const shown = Object.entries(row).filter(([name]) => !hidden.has(name))
    const readable = Object.fromEntries(shown.map(([name, value]) => [name, readableValue(name, value)]))
    return {
      ...readable,
      ...(hashed && { [column]: subjects.get(String(row[column])) }),
      // Who the operator was is not the owner's business; that it was one is.
      ...(row.actor === 'operator' && { user_agent: '' }),
    }
  })
}

const TIME = /(^|_)(at|since|time|until)$/
/** The last time that a date can have stands for no end. */
const NO_END = 8.64e15

function readableValue(name: string, value: unknown): unknown {
  if (!TIME.test(name) || typeof value !== 'number') return value
  if (value === 0) return null
  return value >= NO_END ? 'never' : rfc3339(value)
}
