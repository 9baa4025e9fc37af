import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import BetterSqlite3, { type Database as Sqlite } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { countAccounts } from '../../accounts/list-accounts.ts'
import { latestEventAt } from '../../audit/list-events.ts'
import type { Db } from '../../platform/database.ts'
import { explainSqlite } from '../../platform/sqlite.ts'
import { CommandFailed } from '../terminal/failures.ts'
import { openPrivateFile } from '../terminal/private-file.ts'

/** What a whole database holds. */
export interface Whole {
  accounts: number
  /** When the last event was recorded, in epoch milliseconds; 0 where there is none. */
  until: number
}

/**
 * Copies what is committed now into a new file that only its owner can read, checks the copy, and leaves it on the disk.
 * Others may write to the original meanwhile. The free space of its file, and what was deleted there, stays behind.
 *
 * @param original where it comes from, for people.
 * @throws {CommandFailed} when the original is not a whole database of Keyturn. The copy is left as it is.
 */
export async function copyWhole(original: string, copy: string): Promise<Whole> {
  await (await openPrivateFile(copy)).close()
  try {
    await reading(original, async (sqlite) => sqlite.prepare('vacuum into ?').run(copy))
    return await reading(copy, async (sqlite) => {
      requireWhole(original, sqlite)
      syncToDisk(copy)
      const db: Db = new Kysely({ dialect: new SqliteDialect({ database: sqlite }) })
      return { accounts: await countAccounts(db), until: await latestEventAt(db) }
    })
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    if ((error as { code?: string }).code === 'SQLITE_FULL')
      throw new CommandFailed(`The copy of ${original} does not fit into ${dirname(copy)}: its disk is full.`)
    throw new CommandFailed(explainSqlite(original, error))
  }
}

async function reading<T>(path: string, work: (sqlite: Sqlite) => Promise<T>): Promise<T> {
  const sqlite = new BetterSqlite3(path, { readonly: true, fileMustExist: true })
  try {
    return await work(sqlite)
  } finally {
    sqlite.close()
  }
}

function requireWhole(original: string, sqlite: Sqlite): void {
  const health = sqlite.pragma('quick_check(1)', { simple: true })
  if (health !== 'ok') throw new CommandFailed(`${original} is damaged: ${health}.`)
  if ((sqlite.pragma('foreign_key_check') as unknown[]).length > 0)
    throw new CommandFailed(`${original} is damaged: it has rows that point to nowhere.`)
  const tables = sqlite.prepare('select name from sqlite_master').pluck().all()
  for (const table of ['accounts', 'sessions', 'audit_events'])
    if (!tables.includes(table))
      throw new CommandFailed(
        `${original} is no whole database of Keyturn: it has no table ${table}. A file that was copied while a service ran lacks what was in the file -wal next to it.`,
      )
}

/** A file and its name in its folder: a rename that follows never shows half of it. */
export function syncToDisk(path: string): void {
  for (const each of [path, dirname(path)]) {
    const open = openSync(each, 'r')
    try {
      fsyncSync(open)
    } finally {
      closeSync(open)
    }
  }
}
