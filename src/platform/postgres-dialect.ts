import { setTimeout as sleep } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresDriver,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
} from 'kysely'
import pg, { DatabaseError as PostgresError } from 'pg'
import { ConnectionError, isPassing, isRefusal, OutcomeUnknownError } from './database-errors.ts'
import type { Connections, PooledAdapter, StillAdapter, Trx } from './engine.ts'

/** What the server knows our connections by. */
export const APPLICATION_NAME = 'keyturn'

/** How long a request waits until others are done and a connection of the pool is free. */
const POOL_PATIENCE_MS = 10_000

/** How long it waits for a server that does not answer, or is restarting. */
const CONNECT_PATIENCE_MS = 2_000

/** How long the server may take for one statement, waiting for locks included. */
const STATEMENT_TIMEOUT_MS = 5_000

/** How long a statement waits for a row that another transaction has in hand. */
const LOCK_TIMEOUT_MS = 3_000

/** When the server gives up a transaction whose process has gone quiet, and frees what it had locked. */
const IDLE_IN_TRANSACTION_MS = 10_000

/** When this process gives up a server that says nothing at all, which its own timeouts cannot tell. */
const SILENCE_MS = 7_000

/** The beginning of migrations, which are not in a hurry: of its transaction alone, on both sides. */
const UNHURRIED = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
  .map((name) => `set_config('${name}', '0', true)`)
  .join(', ')

/**
 * A commit that was confirmed must be on the disk, or a crash makes used codes good again: `off`, which may be the
 * default of a server, a database or a role, is not for this service. What waits for a standby, too, is left as it is.
 */
const DURABLE = `select set_config('synchronous_commit', case asked when 'off' then 'on' else asked end, false)
  from current_setting('synchronous_commit') as asked`

/** Any number that nothing else in the database takes a lock by: "keyturn" in ASCII. */
const MIGRATION_LOCK = '30229394827342446'

/**
 * Kysely's PostgreSQL dialect with five differences. Every wait has an end. A commit that was confirmed is on the
 * disk. One whose outcome nobody knows is an error of its own, because such a transaction must not be repeated.
 * Migrations wait for each other until the transaction of the first one ends. And bigint is a number: times in
 * milliseconds and counts.
 */
export class PatientPostgresDialect extends PostgresDialect {
  readonly #pool: CountedPool

  /** @param poolSize how many connections there may be. */
  constructor(url: string, poolSize: number) {
    const pool = makePool(url, poolSize)
    super({ pool })
    this.#pool = pool
  }

  override createDriver(): Driver {
    return new CarefulPostgresDriver({ pool: this.#pool })
  }

  override createAdapter(): DialectAdapter {
    return new SharedPostgresAdapter(this.#pool)
  }
}

interface CountedPool extends PostgresPool {
  counts(): Connections
}

class CarefulPostgresDriver extends PostgresDriver {
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection)
    } catch (error) {
      // Also when the server says goodbye in place of an answer: it may have committed before.
      if (error instanceof ConnectionError || (error instanceof PostgresError && !isRefusal(error)))
        throw new OutcomeUnknownError('The connection was lost at the commit', { cause: error })
      throw error
    }
  }

  /** What went wrong first counts: a connection that cannot roll back is ended, and the server rolls back then. */
  override async rollbackTransaction(
    connection: Parameters<PostgresDriver['rollbackTransaction']>[0],
  ): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => {})
  }
}

class SharedPostgresAdapter extends PostgresAdapter implements StillAdapter, PooledAdapter {
  readonly #pool: CountedPool

  constructor(pool: CountedPool) {
    super()
    this.#pool = pool
  }

  connections(): Connections {
    return this.#pool.counts()
  }

  /** Within the transaction of the migrations: the lock goes with it. */
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    await db.executeQuery(CompiledQuery.raw(`select ${UNHURRIED}`))
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(db)
  }

  override async releaseMigrationLock(): Promise<void> {}

  async keepStill(trx: Trx, tables: readonly string[]): Promise<void> {
    await trx.executeQuery(CompiledQuery.raw(`select ${UNHURRIED}`))
    await sql`lock table ${sql.join(tables.map((name) => sql.table(name)))} in share mode`.execute(trx)
  }
}

/** The pool has one option for both: a server that is silent is given up before a pool that is busy. */
class PromptClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ ...config, connectionTimeoutMillis: CONNECT_PATIENCE_MS })
  }
}

function makePool(url: string, poolSize: number): CountedPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: POOL_PATIENCE_MS,
    Client: PromptClient,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    application_name: APPLICATION_NAME,
    keepAlive: true,
    onConnect: (client) =>
      client.query({ text: DURABLE, query_timeout: CONNECT_PATIENCE_MS } as pg.QueryConfig),
    types: { getTypeParser },
  })
  // A connection that is lost while nobody uses it; without a listener it would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  async function connect(): Promise<PostgresPoolClient> {
    const deadline = performance.now() + CONNECT_PATIENCE_MS
    for (;;) {
      try {
        return watch(await pool.connect())
      } catch (cause) {
        if (!isPassing(cause) || performance.now() > deadline)
          throw new ConnectionError('There is no connection to the database', { cause })
        await sleep(20 + Math.random() * 80)
      }
    }
  }
  function counts(): Connections {
    const { totalCount, idleCount: idle, waitingCount: waiting } = pool
    return { used: totalCount - idle, idle, max: poolSize, waiting }
  }
  return { connect, counts, end: () => pool.end(), options: pool.options }
}

/** A connection of the pool that does not go back there once it was lost, in whatever way it shows. */
function watch(client: pg.PoolClient): PostgresPoolClient {
  let lost = false
  let silenceMs = SILENCE_MS

  async function query(text: string, values: readonly unknown[]) {
    if (lost) throw new ConnectionError('The connection to the database was lost before')
    if (text.includes(UNHURRIED)) silenceMs = 0
    try {
      return await client.query({ text, values: [...values], query_timeout: silenceMs } as pg.QueryConfig)
    } catch (error) {
      lost ||= !isRefusal(error)
      if (error instanceof PostgresError) throw error
      throw new ConnectionError('The connection to the database was lost', { cause: error })
    }
  }
  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: (destroy = false) => client.release(destroy || lost),
  }
}

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
}
