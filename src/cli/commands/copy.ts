import type { Command } from 'commander'
import { sql } from 'kysely'
import { databaseUrlFault } from '../../config.ts'
import {
  adapterOf,
  type Db,
  inTransaction,
  isInUse,
  openDatabase,
  placeOf,
  type Trx,
} from '../../platform/database.ts'
import { beginCopy, endCopy, isCurrent, isUnfinishedCopy, migrateUp } from '../../platform/migrate.ts'
import { keyFileOf } from '../../platform/sqlite-files.ts'
import { type NamedTable, tableNames, tables } from '../../tables.ts'
import { sealedHashKey } from '../../tokens/hash-key.ts'
import { requireDatabase } from '../surroundings.ts'
import { countRows, type Digest, digestOf, pagesOf, type Row } from '../table-rows.ts'
import { answer, CommandFailed, columns, Misused, type Progress, showProgress } from '../terminal.ts'

/** One connection reads while the other writes. */
const CONNECTIONS = 2

/** Each row is copied once and read twice. */
const STEPS = 3

/**
 * Copies everything from one database to another of any engine, and compares the two. The source is locked meanwhile.
 * An interrupted copy continues where it stopped, and no service starts on the target before it is done.
 *
 * @returns what both have now, and whether this finished a copy that was interrupted.
 * @throws {CommandFailed} when a service uses the source, the target has rows of its own, or the two differ.
 */
export async function copyDatabase(from: string, to: string) {
  requireDatabase(from)
  if (from === to) throw new CommandFailed('Source and target are the same database.')
  if (await isInUse(from))
    throw new CommandFailed(
      'A service, or another program, has the source open: what it writes from now on would stay behind. Stop it first.',
    )
  const source = await openDatabase(from, { poolSize: CONNECTIONS })
  const target = await openDatabase(to, { poolSize: CONNECTIONS }).catch(async (error) => {
    await source.destroy()
    throw error
  })
  try {
    if (!(await isCurrent(source)))
      throw new CommandFailed(
        'The source is of another version. If it is older, run keyturn migrate up on it first; if it is newer, copy it with the newer version.',
      )
    const resumed = await isUnfinishedCopy(target)
    if (resumed) await requireSameOrigin(source, target)
    else await claimEmpty(target)
    const digests = await inTransaction(source, async (trx) => {
      await adapterOf(trx).keepStill(trx, tableNames)
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

async function compareTables(source: Trx, target: Db, progress: Progress): Promise<Record<string, Digest>> {
  const digests: Record<string, Digest> = {}
  await inTransaction(target, async (trx) => {
    await adapterOf(trx).keepStill(trx, tableNames)
    for (const table of tables) {
      const onPage = (rows: number) => progress.advance(rows)
      const [original, copy] = [await digestOf(source, table, onPage), await digestOf(trx, table, onPage)]
      if (original.rows !== copy.rows || original.sha256 !== copy.sha256)
        throw new CommandFailed(
          `The copy of ${table.name} differs from the source: one of them was changed meanwhile. Copy into a new database.`,
        )
      digests[table.name] = copy
    }
  })
  return digests
}

const COPY_ABOUT = `
Sessions, tokens and authenticators keep working with the same SECRET_KEY. At the end it compares both databases, table by
table. Run an interrupted copy again, and it goes on from there. Put the password of PostgreSQL into PGPASSWORD: it is
refused in a URL, because others on this machine can read the arguments of a command.

Examples:
  keyturn copy --from sqlite:./data/keyturn.db \\
    --to postgres://keyturn_owner@db.example.com/keyturn
  keyturn copy --from postgres://keyturn_owner@db.example.com/keyturn \\
    --to sqlite:./data/keyturn.db`

export function registerCopy(program: Command): void {
  program
    .command('copy')
    .description('copy everything into another database, SQLite or PostgreSQL; the service must be stopped')
    .requiredOption('--from <url>', 'the source, as in DATABASE_URL')
    .requiredOption('--to <url>', 'the target: an empty database, or one with an interrupted copy')
    .addHelpText('after', COPY_ABOUT)
    .action(async ({ from, to }: { from: string; to: string }, command) => {
      for (const [option, url] of Object.entries({ '--from': from, '--to': to })) {
        const fault = databaseUrlFault(url)
        if (fault) throw new Misused(`${option} ${fault}`)
        if (URL.parse(url)?.password || /[?&]password=/.test(url))
          throw new Misused(
            `${option} has a password in it, which others on this machine could read: put it into PGPASSWORD.`,
          )
      }
      const { resumed, tables } = await copyDatabase(from, to)
      const keyFile = keyFileOf(from)
      const rows = Object.entries(tables).map(([table, { rows, sha256 }]) => [table, String(rows), sha256])
      answer(command, {
        json: { from: placeOf(from), to: placeOf(to), resumed, tables, secret_key_file: keyFile },
        text: `${columns([['TABLE', 'ROWS', 'CHECKSUM'], ...rows])}
${placeOf(from)} and ${placeOf(to)} hold the same. Start the service with the new DATABASE_URL, and the same ISSUER and SECRET_KEY${
          keyFile ? ` (it is in ${keyFile})` : ''
        }.`,
      })
    })
}
