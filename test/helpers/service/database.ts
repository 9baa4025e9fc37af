import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import type { Test } from 'tap'
import { type Db, openDatabase } from '../../../src/platform/database.ts'
import { migrateUp } from '../../../src/platform/migrate.ts'
import { sqlitePath } from '../../../src/platform/sqlite-files.ts'
import { startCluster } from '../programs/postgres.ts'

/** Which engine the tests run on: `TEST_DATABASE=postgres` asks for PostgreSQL. */
export const onPostgres = process.env.TEST_DATABASE === 'postgres'

/** Why a test of PostgreSQL alone is skipped, `false` where it runs. */
export const notOnPostgres = onPostgres ? false : 'about PostgreSQL: run it with TEST_DATABASE=postgres'

/** A server to make databases in; a file that is run alone starts its own. */
export const SERVER_VARIABLE = 'TEST_POSTGRES_URL'

/** The database that others are made from, migrated. */
const TEMPLATE = 'keyturn_template'

/**
 * The URL of a new database.
 *
 * @param empty without any table.
 */
export async function newDatabase(t: Test, { empty = false } = {}): Promise<string> {
  if (!onPostgres) {
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-database-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    if (!empty) copyFileSync(await sqliteTemplate(), join(folder, 'keyturn.db'))
    return `sqlite:${folder}/keyturn.db`
  }
  const server = process.env[SERVER_VARIABLE] ?? (await ownServer())
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const template = empty ? 'template0' : TEMPLATE
  // A copy of the files takes a third of the CPU of a copy through the log.
  await execute(server, `create database ${name} template ${template} strategy file_copy`)
  t.teardown(() => execute(server, `drop database ${name} with (force)`))
  return databaseOn(server, name)
}

/** The tables of a database, without those that tell of its migrations. */
export async function tablesOf(db: Db): Promise<string[]> {
  const tables = await db.introspection.getTables()
  return tables.filter(({ schema = 'public' }) => schema === 'public').map(({ name }) => name)
}

/** Everything that is stored: the bytes of SQLite's files, every value in PostgreSQL's tables. */
export async function storedBytes({ db, databaseUrl }: { db: Db; databaseUrl: string }): Promise<Buffer> {
  if (onPostgres) {
    const rows = (await tablesOf(db)).map((name) => sql`select * from ${sql.table(name)}`.execute(db))
    return Buffer.from(JSON.stringify(await Promise.all(rows)))
  }
  const files = ['', '-wal', '-shm'].map((suffix) => `${sqlitePath(databaseUrl)}${suffix}`)
  const read = () => files.filter((file) => existsSync(file)).map((file) => readFileSync(file))
  const before = read()
  await sql`pragma wal_checkpoint(truncate)`.execute(db)
  return Buffer.concat([...before, ...read()])
}

let template: Promise<string> | undefined

/** A migrated file that others are copied from, made once in this process. */
function sqliteTemplate(): Promise<string> {
  template ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-template-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'keyturn.db')
    const db = await openDatabase(`sqlite:${path}`)
    await migrateUp(db)
    // The last connection to close leaves everything in the one file.
    await db.destroy()
    return path
  })()
  return template
}

/** Makes the template. */
export async function prepareServer(serverUrl: string): Promise<void> {
  await execute(serverUrl, `create database ${TEMPLATE}`)
  const db = await openDatabase(databaseOn(serverUrl, TEMPLATE))
  await migrateUp(db)
  await db.destroy()
}

function databaseOn(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

let own: Promise<string> | undefined

function ownServer(): Promise<string> {
  own ??= startCluster().then(async ({ url, unref }) => {
    unref()
    await prepareServer(url('postgres'))
    return url('postgres')
  })
  return own
}

/** A connection keeps a process from ending only while it is asked something. */
type Client = pg.Client & { ref(): void; unref(): void }

let server: { url: string; client: Promise<Client>; asked: number } | undefined

/** On one connection for all databases of this process: to connect takes as long as to make one. */
async function execute(url: string, statement: string): Promise<void> {
  if (server?.url !== url) server = { url, client: connect(url), asked: 0 }
  const it = server
  const client = await it.client
  it.asked += 1
  client.ref()
  try {
    await client.query(statement)
  } finally {
    it.asked -= 1
    if (it.asked === 0) client.unref()
  }
}

async function connect(url: string): Promise<Client> {
  const client = new pg.Client(url) as Client
  // It ends with its server.
  client.on('error', () => {})
  await client.connect()
  return client
}
