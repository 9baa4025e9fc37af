import { randomUUID } from 'node:crypto'
import { chownSync, existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config.ts'
import { explainFailure } from '../../explain-failure.ts'
import { inBatches } from '../../platform/batches.ts'
import { rfc3339, systemClock } from '../../platform/clock.ts'
import { openDatabase } from '../../platform/database.ts'
import { migrateUp } from '../../platform/migrate.ts'
import { sqlitePath } from '../../platform/sqlite.ts'
import { endSomeSessions } from '../../tokens/many-sessions.ts'
import { requireRootKeys } from '../../tokens/root-keys.ts'
import { recordOperation } from '../record-operation.ts'
import { requireUnused } from '../surroundings.ts'
import { CommandFailed } from '../terminal/failures.ts'
import { isSame } from './backup.ts'
import { copyWhole, syncToDisk, type Whole } from './whole-copy.ts'

/** A database that was restored. */
export interface Restored extends Whole {
  /** How many sessions of the past were ended. */
  sessions: number
  /** Where the database of before is now; `null` where there was none. */
  replaced: string | null
  /** Why the service will not start on it, as a sentence; `null` when `SECRET_KEY` opens it. */
  keyFault: string | null
}

/**
 * Puts a backup into the place of the configured SQLite database, brought up to this version and with every session
 * ended. All of that is done to a copy in the same folder; only then it takes the place, at once and whole.
 *
 * @param agree asked with what the backup holds, before anything is replaced. @throws to leave all as it is.
 * @throws {CommandFailed} when a service uses the database, or the backup is not whole.
 * @throws {DatabaseError} when the backup is of a newer version.
 */
export async function restore(
  config: Config,
  file: string,
  agree: (whole: Whole) => Promise<void>,
): Promise<Restored> {
  const named = sqlitePath(config.databaseUrl)
  // What a link leads to is replaced, on its own disk, and not the link.
  const path = existsSync(named) ? realpathSync(named) : named
  if (!existsSync(file)) throw new CommandFailed(`There is no file ${file}.`)
  if (isSame(file, path)) throw new CommandFailed(`${file} is the database itself.`)
  await requireUnused(config.databaseUrl)
  const draft = `${path}.${randomUUID()}`
  try {
    const whole = await copyWhole(file, draft)
    await agree(whole)
    const made = await makeReady(config, draft)
    await requireUnused(config.databaseUrl)
    const replaced = putInPlace(draft, path)
    return { ...whole, ...made, replaced }
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${draft}${suffix}`, { force: true })
  }
}

async function makeReady(config: Config, draft: string): Promise<Pick<Restored, 'sessions' | 'keyFault'>> {
  const db = await openDatabase(`sqlite:${draft}`)
  try {
    await migrateUp(db)
    const sessions = await inBatches(() => endSomeSessions(db, systemClock.now(), Number.MAX_SAFE_INTEGER))
    await recordOperation(db, 'database_restored')
    const fault = await requireRootKeys(config, db).catch((error) => explainFailure(error) ?? String(error))
    return { sessions, keyFault: fault ?? null }
  } finally {
    await db.destroy()
  }
}

/** @returns the new name of the one that was there. */
function putInPlace(draft: string, path: string): string | null {
  const before = statSync(path, { throwIfNoEntry: false })
  const { uid, gid } = before ?? statSync(dirname(path))
  // Who restores as root must not keep the service out.
  if (process.getuid?.() === 0) chownSync(draft, uid, gid)
  syncToDisk(draft)
  const aside = `${path}.replaced-${rfc3339(systemClock.now()).replaceAll(/[:.]/g, '')}`
  // A write-ahead log goes with its own database: next to another one it would be written into that.
  for (const suffix of ['', '-wal'])
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${aside}${suffix}`)
  rmSync(`${path}-shm`, { force: true })
  renameSync(draft, path)
  syncToDisk(path)
  return before ? aside : null
}
