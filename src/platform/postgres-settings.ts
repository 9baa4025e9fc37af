/** A statement with its values. */
export interface Statement {
  text: string
  values: readonly unknown[]
  /** Who waits for its result, if it is waited for. */
  waiting?: PromiseWithResolvers<unknown>
}

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

/** What begins a transaction. */
export const BEGIN: readonly Statement[] = ['begin', SETTINGS].map((text) => ({ text, values: [] }))

/** The settings of one round trip outside of a transaction: its statements are a transaction of their own. */
export const settingsFor = (texts: readonly string[]): Statement => ({
  text: texts.every((text) => text.startsWith('select')) ? SETTINGS_TO_READ : SETTINGS,
  values: [],
})

/**
 * The beginning of a transaction that is not in a hurry, such as that of migrations: the server's timeouts are off
 * until it ends. The connection knows the statement and waits as long, since Kysely hands it SQL and nothing else.
 */
export const UNHURRIED = `select ${[
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
].map((name) => set(name, 0))}`
