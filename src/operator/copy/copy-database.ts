import { sql } from 'kysely'
import { type Db, isInUse, keepStill, openDatabase, type Trx } from '../../platform/database.ts'
import { beginCopy, endCopy, isCurrent, isUnfinishedCopy, migrateUp } from '../../platform/migrate.ts'
import type { Tables } from '../../platform/tables.ts'
import { requireDatabase } from '../surroundings.ts'
import { CommandFailed } from '../terminal/failures.ts'
import { type Progress, showProgress } from '../terminal/progress.ts'
import { copiedTableNames } from './copied-tables.ts'
import { countRows, type Digest, digestOf, pagesOf, type Row } from './table-pages.ts'

/** Each row is copied once and read twice. */
const STEPS = 3

/** What was copied: the same in both databases. */
export interface Copied {
  /** Whether a copy that was broken off has been finished. */
  resumed: boolean
  tables: Record<keyof Tables, Digest>
}

/**
 * Copies everything from one database to another, whatever engines they are of, and compares the two. What is
 * copied stands still meanwhile. A copy that was broken off goes on where it was; until it is done no service
 * starts on it.
 *
 * @throws {CommandFailed} when a service uses the source, the target has rows of its own, or the two differ.
 */
export async function copyDatabase(
  from: string,
  to: string,
  { poolSize }: { poolSize: number },
): Promise<Copied> {
  requireDatabase(from)
  if (from === to) throw new CommandFailed('Source and target are the same database.')
  if (await isInUse(from))
    throw new CommandFailed(
      'A service, or another program, has the source open: what it writes from now on would stay behind. Stop it first.',
    )
  const source = await openDatabase(from, { poolSize })
  const target = await openDatabase(to, { poolSize }).catch(async (error) => {
    await source.destroy()
    throw error
  })
  try {
    if (!(await isCurrent(source)))
      throw new CommandFailed('The source is not of this version: run "npm run migrate -- up" on it first.')
    const resumed = await isUnfinishedCopy(target)
    if (resumed) await requireSameOrigin(source, target)
    else await claimEmpty(target)
    const tables = await source.transaction().execute(async (trx) => {
      await keepStill(trx, copiedTableNames)
      const progress = showProgress('Copying', STEPS * (await countAll(trx)))
      try {
        await copyTables(trx, target, progress)
        return await compareTables(trx, target, progress)
      } finally {
        progress.end()
      }
    })
    await endCopy(target)
    return { resumed, tables }
  } finally {
    await source.destroy()
    await target.destroy()
  }
}

async function claimEmpty(target: Db): Promise<void> {
  await migrateUp(target)
  await target.transaction().execute(async (trx) => {
    for (const table of copiedTableNames)
      if ((await countRows(trx, table)) > 0)
        throw new CommandFailed(`The target is not empty (${table} has rows). Copy into a new database.`)
    await beginCopy(trx)
  })
}

/** The hash key is copied first; no two databases that began by themselves have the same. */
async function requireSameOrigin(source: Db, target: Db): Promise<void> {
  const keyOf = (db: Db) => db.selectFrom('hash_keys').selectAll().executeTakeFirst()
  const [original, copy] = [await keyOf(source), await keyOf(target)]
  if (copy && copy.sealed_key !== original?.sealed_key)
    throw new CommandFailed('The target holds an unfinished copy of another database. Copy into a new one.')
}

async function countAll(source: Trx): Promise<number> {
  const counts = await Promise.all(copiedTableNames.map((table) => countRows(source, table)))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Rows go over in the order of their keys, so that as many as are there need not go again. */
async function copyTables(source: Trx, target: Db, progress: Progress): Promise<void> {
  for (const table of copiedTableNames) {
    const there = await countRows(target, table)
    progress.advance(there)
    for await (const rows of pagesOf(source, table, there)) {
      await target.transaction().execute((trx) => insertRows(trx, table, rows))
      progress.advance(rows.length)
    }
  }
}

async function insertRows(trx: Trx, table: keyof Tables, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`)
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(values)}`.execute(trx)
}

async function compareTables(source: Trx, target: Db, progress: Progress): Promise<Copied['tables']> {
  const digests: Partial<Copied['tables']> = {}
  await target.transaction().execute(async (trx) => {
    await keepStill(trx, copiedTableNames)
    for (const table of copiedTableNames) {
      const onPage = (rows: number) => progress.advance(rows)
      const [original, copy] = [await digestOf(source, table, onPage), await digestOf(trx, table, onPage)]
      if (original.rows !== copy.rows || original.sha256 !== copy.sha256)
        throw new CommandFailed(
          `The copy of ${table} is not what the source has: one of them was changed meanwhile. Copy into a new database.`,
        )
      digests[table] = copy
    }
  })
  return digests as Copied['tables']
}
