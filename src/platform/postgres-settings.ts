import pg from 'pg'

/** How long the server may take for one statement, including its wait for locks. */
const STATEMENT_TIMEOUT_MS = 5_000

/** How long a statement waits for a row that another transaction has locked. */
const LOCK_TIMEOUT_MS = 3_000

/** When the server gives up a transaction whose process has gone quiet, and releases its locks. */
const IDLE_IN_TRANSACTION_MS = 10_000

/** Until the end of the transaction. */
const set = (name: string, value: string | number) => `set_config('${name}', '${value}', true)`

/**
 * A confirmed commit must be on the disk, or a crash would make used codes valid again. So this service does not
 * accept `off`, which may be the default of a server, a database or a role. A setting that also waits for a standby
 * is kept.
 */
const DURABLE = `set_config('synchronous_commit', case asked when 'off' then 'on' else asked end, true)`

const WAITS = [set('statement_timeout', STATEMENT_TIMEOUT_MS), set('lock_timeout', LOCK_TIMEOUT_MS)]

/**
 * Sets everything that must hold, until the transaction ends: behind a pooler the next one may run in a session that
 * others have used. It gives no row.
 */
const SETTINGS = `select from current_setting('synchronous_commit') as asked where ${[
  DURABLE,
  ...WAITS,
  set('idle_in_transaction_session_timeout', IDLE_IN_TRANSACTION_MS),
].join(' || ')} is null`

/** The same for a statement that only reads, in a quarter of the time. */
const SETTINGS_TO_READ = `select where ${WAITS.join(' || ')} is null`

/** Whether it is a statement that comes along with another one. */
export const isSettings = (text: string): boolean => [SETTINGS, SETTINGS_TO_READ].includes(text)

/** Begins a transaction with its settings, in one round trip. */
export const BEGIN = `begin; ${SETTINGS}`

/**
 * The beginning of a transaction that is not in a hurry, such as that of migrations: the server's timeouts are off
 * until it ends. The connection knows the statement and waits as long, since Kysely hands it SQL and nothing else.
 */
export const UNHURRIED = `select ${[
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
].map((name) => set(name, 0))}`

declare module 'pg' {
  interface Query {
    text: string
    prepare(connection: pg.Connection): void
  }
}

/**
 * A statement outside of a transaction, with the settings before it in the same round trip: what comes before one `Sync`
 * is one transaction (PostgreSQL's "Message Flow", Pipelining).
 */
class SingleStatement extends pg.Query {
  override prepare(connection: pg.Connection): void {
    const text = this.text.startsWith('select') ? SETTINGS_TO_READ : SETTINGS
    connection.parse({ text } as Parameters<typeof connection.parse>[0], false)
    connection.bind({}, false)
    connection.execute({}, false)
    super.prepare(connection)
  }
}

/**
 * Runs one statement with its settings.
 *
 * @param silenceMs when a server that says nothing is given up; 0 for never.
 */
export function queryWithSettings(
  client: pg.ClientBase,
  text: string,
  values: unknown[],
  silenceMs: number,
): Promise<pg.QueryResult> {
  if (text === BEGIN || client.getTransactionStatus() !== 'I')
    return client.query({ text, values, query_timeout: silenceMs } as pg.QueryConfig)
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>()
  // Of the two results the last one is that of the statement.
  const done = (error: Error | undefined, results: unknown) =>
    error ? reject(error) : resolve((results as pg.QueryResult[]).at(-1) as pg.QueryResult)
  const config = { text, values, queryMode: 'extended' }
  client.query(Object.assign(new SingleStatement(config, done), { query_timeout: silenceMs }))
  return promise
}
