import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import { isSettings } from '../../../src/platform/postgres-settings.ts'
import { sqlitePath } from '../../../src/platform/sqlite-files.ts'
import { onPostgres } from './database.ts'

type Method = (...args: unknown[]) => unknown
/**
 * @param sqlite the database of the statement, where it is of SQLite.
 * @returns on PostgreSQL perhaps a promise, which the statement waits for.
 */
type See = (text: string, sqlite?: BetterSqlite3.Database) => unknown

/**
 * Sees each statement before it runs, while some work is done: beginnings and ends of transactions are statements,
 * too. What `see` throws is what the statement fails with.
 *
 * @param databaseUrl whose statements.
 */
export async function watchingStatements<T>(
  databaseUrl: string,
  see: See,
  work: () => Promise<T>,
): Promise<T> {
  const restore = onPostgres ? watchPostgres(databaseUrl, see) : watchSqlite(sqlitePath(databaseUrl), see)
  try {
    return await work()
  } finally {
    restore()
  }
}

function watchSqlite(path: string, see: See): () => void {
  const restores = ['run', 'all'].map((name) =>
    replaced(
      statementPrototype(),
      name,
      (original) =>
        function (this: BetterSqlite3.Statement, ...args) {
          if (this.database.name === path) see(this.source, this.database)
          return original.apply(this, args)
        },
    ),
  )
  return () => {
    for (const restore of restores) restore()
  }
}

/** What the statements of every SQLite database inherit from. */
function statementPrototype(): object {
  const sqlite = new BetterSqlite3(':memory:')
  const prototype = Object.getPrototypeOf(sqlite.prepare('select 1'))
  sqlite.close()
  return prototype
}

function watchPostgres(databaseUrl: string, see: See): () => void {
  const name = new URL(databaseUrl).pathname.slice(1)
  return replaced(
    pg.Client.prototype,
    'query',
    (original) =>
      function (this: pg.Client, ...args) {
        const [query] = args as [string | (pg.QueryConfig & Together)]
        try {
          const seen = this.database === name ? textsOf(query).map((text) => see(text)) : []
          return seen.some((it) => it instanceof Promise)
            ? Promise.all(seen).then(() => original.apply(this, args))
            : original.apply(this, args)
        } catch (error) {
          // Who gives a query in place of a text waits for its callback.
          if (typeof query === 'string' || !query.callback) return Promise.reject(error)
          query.callback(error)
        }
      },
  )
}

/** @returns how often a service waits for PostgreSQL while some work is done. */
export async function countingRoundTrips(databaseUrl: string, work: () => Promise<unknown>): Promise<number> {
  const name = new URL(databaseUrl).pathname.slice(1)
  let count = 0
  const restore = replaced(
    pg.Client.prototype,
    'query',
    (original) =>
      function (this: pg.Client, ...args) {
        if (this.database === name) count += 1
        return original.apply(this, args)
      },
  )
  await work().finally(restore)
  return count
}

/** What goes to the server together. */
interface Together {
  statements?: readonly { text: string }[]
  callback?: (error: unknown) => void
}

function textsOf(query: string | (pg.QueryConfig & Together)): string[] {
  if (typeof query === 'string') return [query]
  return (query.statements ?? [query]).map(({ text }) => text).filter((text) => !isSettings(text))
}

/** @returns what puts the original back. */
function replaced(
  prototype: object,
  name: string,
  replace: (original: Method) => (this: never, ...args: unknown[]) => unknown,
): () => void {
  const methods = prototype as Record<string, Method>
  const original = methods[name] as Method
  methods[name] = replace(original) as Method
  return () => {
    methods[name] = original
  }
}
