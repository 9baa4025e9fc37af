import { existsSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { CommandFailed, Misused } from '../terminal.ts'
import { type ReadRecord, readTruth } from './fields.ts'

/** The column names of a table of users. Columns that are not given are searched under the usual names. */
export interface FlaskColumns {
  table?: string
  username?: string
  password?: string
  totp?: string
  /** The column that says whether the authenticator was ever confirmed: many apps make its secret with the account. */
  enabled?: string
  email?: string
  createdAt?: string
}

/** The names that tutorials use, the most likely first. */
const USUAL = {
  username: ['username', 'user_name', 'login'],
  password: ['password_hash', 'password', 'hashed_password', 'pw_hash', 'passwd'],
  totp: ['secret_token', 'totp_secret', 'otp_secret', 'two_factor_secret', 'mfa_secret', 'secret'],
  enabled: [
    'is_two_factor_authentication_enabled',
    'two_factor_enabled',
    'is_two_factor_enabled',
    'is_2fa_enabled',
    'totp_enabled',
    'otp_enabled',
    'mfa_enabled',
  ],
  email: ['email'],
  createdAt: ['created_at', 'created_on', 'registered_on'],
} as const satisfies Record<string, readonly string[]>

const USUAL_TABLES = ['users', 'user', 'accounts', 'account']

export interface FlaskTable {
  name: string
  columns: Partial<Record<keyof typeof USUAL, string>>
  records(): AsyncGenerator<ReadRecord>
  close(): void
}

/**
 * Opens the SQLite file of a Flask app read-only and finds its users.
 *
 * @param longPasswords whether the app had `BCRYPT_HANDLE_LONG_PASSWORDS`, which hashes do not show.
 * @throws {CommandFailed} @throws {Misused}
 */
export function openFlaskTable(
  path: string,
  wanted: FlaskColumns,
  { longPasswords }: { longPasswords: boolean },
): FlaskTable {
  if (!existsSync(path)) throw new CommandFailed(`There is no file ${path}.`)
  const sqlite = openFile(path)
  try {
    const tables = sqlite
      .prepare<[], { name: string }>(`select name from sqlite_master where type in ('table', 'view')`)
      .all()
      .map(({ name }) => name)
    const name = findTable(tables, wanted.table)
    const columns = findColumns(columnsOf(sqlite, name), wanted, name)
    return {
      name,
      columns,
      close: () => sqlite.close(),
      async *records() {
        for (const row of rowsOf(sqlite, name, path)) yield recordOf(row, columns, name, longPasswords)
      },
    }
  } catch (error) {
    sqlite.close()
    if (error instanceof CommandFailed || error instanceof Misused) throw error
    throw unreadable(path, error)
  }
}

function* rowsOf(
  sqlite: BetterSqlite3.Database,
  table: string,
  path: string,
): Generator<Record<string, unknown>> {
  const rows = sqlite.prepare<[], Record<string, unknown>>(`select * from ${quoted(table)}`).iterate()
  try {
    yield* rows
  } catch (error) {
    // Damage to the file is noticed where it is read.
    throw error instanceof BetterSqlite3.SqliteError ? unreadable(path, error) : error
  }
}

function unreadable(path: string, error: unknown): CommandFailed {
  return new CommandFailed(`The file ${path} cannot be read: ${(error as Error).message}.`)
}

function openFile(path: string): BetterSqlite3.Database {
  try {
    return new BetterSqlite3(path, { readonly: true, timeout: 5_000 })
  } catch (error) {
    throw new CommandFailed(`The file ${path} cannot be opened: ${(error as Error).message}.`)
  }
}

function findTable(tables: readonly string[], wanted: string | undefined): string {
  const found = (wanted === undefined ? USUAL_TABLES : [wanted]).filter((name) => tables.includes(name))
  const [name] = found
  if (name !== undefined && found.length === 1) return name
  const there = tables.filter((name) => !name.startsWith('sqlite_')).join(', ') || 'no table'
  throw new Misused(`Say with --table where the users are. The file has ${there}.`)
}

function columnsOf(sqlite: BetterSqlite3.Database, table: string): string[] {
  return sqlite
    .prepare<[string], { name: string }>('select name from pragma_table_info(?)')
    .all(table)
    .map(({ name }) => name)
}

function findColumns(there: readonly string[], wanted: FlaskColumns, table: string): FlaskTable['columns'] {
  const columns: FlaskTable['columns'] = {}
  for (const [name, usual] of Object.entries(USUAL) as [keyof typeof USUAL, readonly string[]][]) {
    const given = wanted[name]
    if (given !== undefined && !there.includes(given))
      throw new Misused(`The table ${table} has no column ${given}. It has ${there.join(', ')}.`)
    const column = given ?? usual.find((name) => there.includes(name))
    if (column !== undefined) columns[name] = column
  }
  // Where people sign in with their address, it is the username.
  const username = columns.username ?? columns.email
  if (username === undefined || columns.password === undefined)
    throw new Misused(
      `The table ${table} has no column with the usual name for ${username ? 'the password' : 'the username'}. It has ${there.join(', ')}: say which with --${username ? 'password' : 'username'}.`,
    )
  return { ...columns, username }
}

function recordOf(
  row: Record<string, unknown>,
  columns: FlaskTable['columns'],
  table: string,
  longPasswords: boolean,
): ReadRecord {
  const place = `${table} ${'id' in row ? row.id : ''}`.trim()
  const cell = (name: keyof typeof USUAL) => {
    const value = columns[name] === undefined ? undefined : row[columns[name]]
    return Buffer.isBuffer(value) ? value.toString() : value
  }
  const enabled = cell('enabled')
  try {
    const values: Record<string, unknown> = {
      username: cell('username'),
      email: cell('email'),
      password_hash: prehashed(cell('password'), longPasswords),
      totp_secret: enabled === undefined || (enabled !== null && readTruth(enabled)) ? cell('totp') : null,
      created_at: cell('createdAt'),
    }
    return { place, values }
  } catch (error) {
    return { place, fault: `${columns.enabled}: ${(error as Error).message}` }
  }
}

/** Quotes a name for SQL. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * With long passwords switched on, Flask-Bcrypt hashes their SHA-256 as Django does, without a sign of it in the
 * hash.
 */
function prehashed(hash: unknown, longPasswords: boolean): unknown {
  return longPasswords && typeof hash === 'string' && hash.startsWith('$2') ? `bcrypt_sha256$${hash}` : hash
}
