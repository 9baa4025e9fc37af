import { sql } from 'kysely'
import {
  type Db,
  inTransaction,
  isInUse,
  keepStill,
  openDatabase,
  type Trx,
} from '../../platform/database.ts'
import { beginCopy, endCopy, isCurrent, isUnfinishedCopy, migrateUp } from '../../platform/migrate.ts'
import { type NamedTable, tables } from '../../tables.ts'
import { sealedHashKey } from '../../tokens/hash-key.ts'
import { requireDatabase } from '../surroundings.ts'
import { CommandFailed } from '../terminal/failures.ts'
import { type Progress, showProgress } from '../terminal/progress.ts'
import { countRows, type Digest, digestOf, pagesOf, type Row } from './table-pages.ts'

/** Each row is copied once and read twice. */
const STEPS = 3

const NAMES = tables.map(({ name }) => name)

/** What was copied. It is the same in both databases. */
export interface Copied {
  /** Whether this finished a copy that was interrupted. */
  resumed: boolean
  tables: Record<string, Digest>
}

/**
 * Copies everything from one database to another of any engine, and compares the two. The source is locked meanwhile.
 * An interrupted copy continues where it stopped, and no service starts on the target before it is done.
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
      throw new CommandFailed(
        'The source is not of this version. Is it of an older one, run "npm run migrate -- up" on it first; of a newer one, copy it with that.',
      )
    const resumed = await isUnfinishedCopy(target)
    if (resumed) await requireSameOrigin(source, target)
    else await claimEmpty(target)
    const digests = await inTransaction(source, async (trx) => {
      await keepStill(trx, NAMES)
      const progress = showProgress('Copying', STEPS * (await countAll(trx)))
      try {
        await copyTables(trx, target, progress)
        return await compareTables(trx, target, progress)
      } finally {
        progress.end()
      }
    })
    await endCopy(target)
    return { resumed, tables: digests }
  } finally {
    await source.destroy()
    await target.destroy()
  }
}

async function claimEmpty(target: Db): Promise<void> {
  await migrateUp(target)
  await inTransaction(target, async (trx) => {
    for (const table of tables)
      if ((await countRows(trx, table)) > 0)
        throw new CommandFailed(`The target is not empty (${table.name} has rows). Copy into a new database.`)
    await beginCopy(trx)
  })
}

/** The hash key is copied first, so an unfinished copy of this source has the key of this source. */
async function requireSameOrigin(source: Db, target: Db): Promise<void> {
  const copied = await sealedHashKey(target)
  if (copied && copied !== (await sealedHashKey(source)))
    throw new CommandFailed('The target holds an unfinished copy of another database. Copy into a new one.')
}

async function countAll(source: Trx): Promise<number> {
  const counts = await Promise.all(tables.map((table) => countRows(source, table)))
  return counts.reduce((sum, count) => sum + count, 0)
}

/**
 * Rows are copied in the order of their keys. The rows that the target already has are the first ones, and are
 * skipped.
 */
async function copyTables(source: Trx, target: Db, progress: Progress): Promise<void> {
  for (const table of tables) {
    const there = await countRows(target, table)
    progress.advance(there)
    for await (const rows of pagesOf(source, table, there)) {
      await inTransaction(target, (trx) => insertRows(trx, table, rows))
      progress.advance(rows.length)
    }
  }
}

async function insertRows(trx: Trx, { name }: NamedTable, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`)
  await sql`insert into ${sql.table(name)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(values)}`.execute(trx)
}

async function compareTables(source: Trx, target: Db, progress: Progress): Promise<Copied['tables']> {
  const digests: Copied['tables'] = {}
  await inTransaction(target, async (trx) => {
    await keepStill(trx, NAMES)
    for (const table of tables) {
      const onPage = (rows: number) => progress.advance(rows)
      const [original, copy] = [await digestOf(source, table, onPage), await digestOf(trx, table, onPage)]
      if (original.rows !== copy.rows || original.sha256 !== copy.sha256)
        throw new CommandFailed(
          `The copy of ${table.name} is not what the source has: one of them was changed meanwhile. Copy into a new database.`,
        )
      digests[table.name] = copy
    }
  })
  return digests
}
