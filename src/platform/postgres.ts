import { setTimeout as sleep } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  type PostgresPool,
  type PostgresPoolClient,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import pg, { DatabaseError as PostgresError } from 'pg'
import {
  ConnectionError,
  DatabaseError,
  isPassing,
  isRefusal,
  OutcomeUnknownError,
} from './database-errors.ts'
import type { Connections, Db, Engine, EngineAdapter, Trx } from './engine.ts'
import { SILENCE_MS, watch } from './postgres-connection.ts'
import type { Session } from './postgres-round-trip.ts'
import { UNHURRIED } from './postgres-settings.ts'
import { placeOf, withSslMode } from './postgres-url.ts'

/** @param poolSize the most connections of this process. */
export function postgresEngine(databaseUrl: string, poolSize: number): Engine {
  return {
    dialect: patientPostgres(withSslMode(databaseUrl), poolSize),
    check: async (db) => void (await sql`select 1`.execute(db)),
    explain: (error) => explain(placeOf(databaseUrl), error),
    async isInUse() {
      const client = new pg.Client(withSslMode(databaseUrl))
      try {
        await client.connect()
        const { rows } = await client.query(
          'select from pg_stat_activity where datname = current_database() and application_name = $1',
          [APPLICATION_NAME],
        )
        return rows.length > 0
      } catch (error) {
        throw new DatabaseError(explain(placeOf(databaseUrl), error), { cause: error })
      } finally {
        await client.end()
      }
    },
  }
}

/** Explains SQLSTATE codes of PostgreSQL's appendix A, and faults of certificates. */
function explain(place: string, error: unknown): string {
  const { code = '', message } = (
    error instanceof ConnectionError ? error.cause : error
  ) as NodeJS.ErrnoException
  if (code.startsWith('28')) return `The database ${place} does not let this user in: ${message}.`
  if (code === '3D000') return `The database ${place} does not exist. Create it, and migrate it.`
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return `The database ${place} shows a certificate that cannot be trusted (${message}). Name its authority with sslrootcert.`
  if (message.includes('does not support SSL'))
    return `The database ${place} has no TLS. Set it up there, or add sslmode=disable where the network can be trusted.`
  return `The database ${place} cannot be reached: ${message}.`
}

/** The name of this service's connections at the server. */
const APPLICATION_NAME = 'keyturn'

/** How long a request waits for a free connection of the pool. */
const POOL_PATIENCE_MS = 10_000

/** How long it waits for a server that does not answer or is restarting. */
const CONNECT_PATIENCE_MS = 2_000

/**
 * How long a migration waits for a table, and with it the queries of running services, which have more patience. It is
 * longer than `deadlock_timeout`, after which PostgreSQL ends an autovacuum that is in the way.
 */
const TABLE_LOCK_TIMEOUT_MS = 1_500

/** A number that nothing else in the database uses for a lock: "keyturn" in ASCII. */
const MIGRATION_LOCK = '30229394827342446'

/**
 * Kysely's PostgreSQL dialect with six differences. What can go together goes in one round trip. Every wait has an
 * end. A confirmed commit is on the disk. A commit with an unknown outcome has an error of its own, because its
 * transaction must not be repeated. Migrations wait for each other until the transaction of the first one ends. And
 * bigint is a number, for times in milliseconds and counts.
 */
function patientPostgres(url: string, poolSize: number): Dialect {
  const pool = makePool(url, poolSize)
  return {
    createDriver: () => new CarefulPostgresDriver({ pool }),
    createAdapter: () => new SharedPostgresAdapter(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

interface CountedPool extends PostgresPool {
  counts(): Connections
  behindPooler(): Promise<boolean>
}

class CarefulPostgresDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'))
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection)
    } catch (error) {
      // Also when the server answers by ending the connection: it may have committed before.
      if (error instanceof ConnectionError || (error instanceof PostgresError && !isRefusal(error)))
        throw new OutcomeUnknownError('The connection was lost at the commit', { cause: error })
      throw error
    }
  }

  /** The first error counts. A connection that cannot roll back is closed, and then the server rolls back. */
  override async rollbackTransaction(
    connection: Parameters<PostgresDriver['rollbackTransaction']>[0],
  ): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => {})
  }
}

class SharedPostgresAdapter extends PostgresAdapter implements EngineAdapter {
  readonly hasRoundTrips = true
  readonly #pool: CountedPool

  constructor(pool: CountedPool) {
    super()
    this.#pool = pool
  }

  connections = (): Connections => this.#pool.counts()
  behindPooler = (): Promise<boolean> => this.#pool.behindPooler()

  async countRows(db: Db, tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rows } = await sql<{ name: string; rows: number }>`
      select relname as name, cast(n_live_tup as double precision) as rows from pg_stat_user_tables
      where schemaname = current_schema() and relname in (${sql.join(tables)})`.execute(db)
    return new Map(rows.map(({ name, rows }) => [name, rows]))
  }

  /**
   * Within the transaction of the migrations, whose end releases the lock. They wait as long as it takes for each other,
   * and only for a moment for a table that is in use, such as by a backup: the queries of running services queue behind
   * them.
   */
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    await db.executeQuery(CompiledQuery.raw(UNHURRIED))
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(db)
    await sql`select set_config('lock_timeout', ${String(TABLE_LOCK_TIMEOUT_MS)}, true)`.execute(db)
  }

  override async releaseMigrationLock(): Promise<void> {}

  async wipeDeleted(): Promise<void> {}
  async sortInFiles(): Promise<void> {}

  async keepStill(trx: Trx, tables: readonly string[]): Promise<void> {
    await trx.executeQuery(CompiledQuery.raw(UNHURRIED))
    await sql`lock table ${listOf(tables)} in share mode`.execute(trx)
  }

  /** The longest first. What others do is told only to a role that may see it. */
  async lockersOf(db: Db, { readers = false } = {}): Promise<string[]> {
    const { rows } = await sql<{ pid: number; who: string; seconds: number; query: string }>`
      select pid, concat_ws(' at ', usename, client_addr) as who, left(query, 100) as query,
        cast(extract(epoch from now() - xact_start) as integer) as seconds
      from pg_stat_activity as activity
      where datname = current_database() and pid <> pg_backend_pid() and xact_start < now() - interval '1 second'
        and exists (select from pg_locks where pid = activity.pid and granted and relation is not null
          and (${readers} or mode not in ('AccessShareLock', 'ShareUpdateExclusiveLock')))
      order by xact_start limit 5`.execute(db)
    return rows.map(
      ({ pid, who, seconds, query }) =>
        `${who} has held locks for ${seconds} s, at last by "${query}": select pg_terminate_backend(${pid}) ends it.`,
    )
  }

  async waitForTables(trx: Trx, tables: readonly string[]): Promise<void> {
    await sql`lock table ${listOf(tables)} in row exclusive mode`.execute(trx)
  }
}

const listOf = (tables: readonly string[]) => sql.join(tables.map((name) => sql.table(name)))

/** The pool has one option for both waits. A silent server is given up before a busy pool. */
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
    application_name: APPLICATION_NAME,
    keepAlive: true,
    types: { getTypeParser },
    onConnect: recognizeSession,
  })
  // A connection may be lost while it is idle. Without a listener that would end the process.
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
  async function behindPooler(): Promise<boolean> {
    const client = await pool.connect()
    try {
      return !(await hasSession(client))
    } finally {
      client.release()
    }
  }
  return { connect, counts, behindPooler, end: () => pool.end(), options: pool.options }
}

/** Whether one session of the server stays with the connection. A pooler makes up the process that it names. */
async function hasSession(client: pg.ClientBase & { processID?: number }): Promise<boolean> {
  const query = { text: 'select pg_backend_pid() as pid', query_timeout: SILENCE_MS }
  const { rows } = await client.query(query)
  return rows[0].pid === client.processID
}

async function recognizeSession(client: Session): Promise<void> {
  if (await hasSession(client)) client.prepared = new Set()
}

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
}
