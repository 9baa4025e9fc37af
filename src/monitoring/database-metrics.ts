import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitingMail } from '../mail/waiting-mail.ts'
import type { Clock } from '../platform/clock.ts'
import { adapterOf, type Db } from '../platform/database.ts'
import { sqlitePath } from '../platform/sqlite-files.ts'
import { tableNames } from '../tables.ts'
import type { DatabaseProbe } from '../upkeep/probe.ts'
import type { Instrument } from './instrument.ts'
import type { Meters } from './meters.ts'

/** Well within the time that Prometheus waits for an answer. What takes longer is in the next answer. */
const PATIENCE_MS = 2_000

/** Tables grow over hours, so counting them is kept rare. */
const COUNT_EVERY_MS = 600_000

/** What the database and the pool of connections to it say when the metrics are read. */
export function databaseMetrics(meters: Meters, clock: Clock): Instrument {
  return {
    db(db) {
      // First, or the questions of the others would be counted. SQLite has no pool.
      if (adapterOf(db).connections()) gaugePool(meters, db)
      gaugeMail(meters, clock, db)
      gaugeRows(meters, clock, db)
      return db
    },
    probe(probe) {
      gaugeFaults(meters, probe)
      return probe
    },
    sharedCounts(counts) {
      meters.gauge(
        'keyturn_redis_up',
        'Whether Redis counts for all processes; else each counts for itself',
        (up) => up.set(counts.state() === 'ok' ? 1 : 0),
      )
      return counts
    },
  }
}

/** Whether the database stores what it is given, and why it does not. */
function gaugeFaults({ gauge }: Meters, probe: DatabaseProbe): void {
  const look = () => inTime(probe.fault())
  gauge('keyturn_database_up', 'Whether the database has stored a row some seconds ago', async (up) =>
    up.set((await look()) === null ? 1 : 0),
  )
  gauge(
    'keyturn_database_fault',
    'Why the database stores nothing',
    async (fault) => {
      fault.reset()
      const found = await look()
      if (found) fault.set({ reason: found.reason }, 1)
    },
    ['reason'],
  )
}

/** The mail that waits. */
function gaugeMail({ gauge }: Meters, clock: Clock, db: Db): void {
  /** `undefined` when the database does not answer, or not in time. */
  const look = onceAtATime(() => inTime(waitingMail(db)).catch(() => undefined))
  gauge(
    'keyturn_mails_waiting',
    'Mails that are not sent yet, those that are tried again among them',
    async (mails) => mails.set((await look())?.count ?? Number.NaN),
  )
  gauge(
    'keyturn_mail_oldest_seconds',
    'Age of the oldest mail that waits; 0 when none does',
    async (seconds) => {
      const { since } = (await look()) ?? { since: Number.NaN }
      seconds.set(since === null ? 0 : Math.max(0, clock.now() - since) / 1000)
    },
  )
}

/** How many rows each table has. How fast they grow follows from it. */
function gaugeRows({ gauge }: Meters, clock: Clock, db: Db): void {
  let countedAt = Number.NEGATIVE_INFINITY
  let rows: ReadonlyMap<string, number> = new Map()
  const count = onceAtATime(async () => {
    rows = await adapterOf(db).countRows(db, tableNames)
    countedAt = clock.now()
  })
  gauge(
    'keyturn_table_rows',
    'Rows of a table, counted every ten minutes; on PostgreSQL its own estimate',
    async (gauge) => {
      // keyturn_database_up tells that the database does not answer.
      if (Math.abs(clock.now() - countedAt) >= COUNT_EVERY_MS) await inTime(count()).catch(() => {})
      for (const [table, value] of rows) gauge.set({ table }, value)
    },
    ['table'],
  )
}

/** The connections to PostgreSQL, and the requests that wait for one. */
function gaugePool({ gauge }: Meters, db: Db): void {
  const now = () => adapterOf(db).connections() ?? { used: 0, idle: 0, max: 0, waiting: 0 }
  gauge(
    'keyturn_database_connections',
    'Connections of this process to the database',
    (connections) => {
      for (const state of ['used', 'idle'] as const) connections.set({ state }, now()[state])
    },
    ['state'],
  )
  gauge('keyturn_database_connections_max', 'Connections that this process may have', (connections) =>
    connections.set(now().max),
  )
  gauge('keyturn_database_waiting', 'Requests that wait for a connection to the database', (requests) =>
    requests.set(now().waiting),
  )
}

function inTime<T>(work: Promise<T>): Promise<T | undefined> {
  return Promise.race([work, sleep(PATIENCE_MS, undefined, { ref: false })])
}

/** Calls while the work is under way share its answer: one look serves all metrics of a scrape. */
function onceAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | null = null
  return () => {
    underWay ??= work().finally(() => {
      underWay = null
    })
    return underWay
  }
}

/** How much room there is where SQLite writes. The disk of a PostgreSQL server is watched where it is. */
export function diskMetrics({ gauge }: Meters, databaseUrl: string): void {
  if (!databaseUrl.startsWith('sqlite:')) return
  const folder = dirname(sqlitePath(databaseUrl))
  gauge('keyturn_disk_free_bytes', 'Room that is left where the SQLite file is', async (bytes) => {
    const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.NaN, bsize: 1 }))
    bytes.set(bavail * bsize)
  })
}
