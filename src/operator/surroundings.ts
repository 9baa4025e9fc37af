import { existsSync } from 'node:fs'
import { pino } from 'pino'
import { type Config, readConfig } from '../config.ts'
import { makeKeyRing } from '../crypto/key-ring.ts'
import { makeSecretBox, type SecretBox } from '../crypto/secret-box.ts'
import type { Dependencies } from '../dependencies.ts'
import { systemClock } from '../platform/clock.ts'
import { DatabaseError, type Db, openDatabase } from '../platform/database.ts'
import { migrateUp } from '../platform/migrate.ts'
import { sqlitePath } from '../platform/sqlite.ts'
import { rootKeysOf } from '../tokens/root-keys.ts'

/** Opens the configured database as it is, for the time of some work. */
export async function withDatabase(
  work: (db: Db, config: Config) => Promise<void>,
  config: Config = readConfig(process.env),
): Promise<void> {
  const db = await openDatabase(config.databaseUrl, { poolSize: config.databasePoolSize })
  try {
    await work(db, config)
  } finally {
    await db.destroy()
  }
}

/** The same, brought up to this version first. */
export async function withMigratedDatabase(
  work: (db: Db, config: Config) => Promise<void>,
  config?: Config,
): Promise<void> {
  await withDatabase(async (db, config) => {
    await migrateUp(db)
    await work(db, config)
  }, config)
}

/**
 * Everything that a service is made of, but for HTTP and its work in the background: a command does what the
 * service does by the same use cases.
 *
 * @throws {UnsealError} when the database was sealed under another `SECRET_KEY`.
 */
export async function withService(
  work: (service: Dependencies) => Promise<void>,
  config?: Config,
): Promise<void> {
  await withMigratedDatabase(async (db, config) => {
    const rootKeys = await rootKeysOf(config, db)
    // Much is loaded with it, which the other commands need not wait for.
    const { makeDependencies } = await import('../dependencies.ts')
    // What is worth telling is said by the command, and kept in the audit trail.
    const logger = pino({ level: 'silent' })
    await work(await makeDependencies({ config, db, clock: systemClock, logger, rootKeys }))
  }, config)
}

/** The same for what only looks whether something would go: where no database is, none is left behind. */
export async function withRehearsedService(work: (service: Dependencies) => Promise<void>): Promise<void> {
  const config = readConfig(process.env)
  await withService(
    work,
    isThere(config.databaseUrl) ? config : { ...config, databaseUrl: 'sqlite::memory:' },
  )
}

/** The same for commands that make no sense on a database that is not there: a mistyped path makes no new one. */
export async function withExistingService(work: (service: Dependencies) => Promise<void>): Promise<void> {
  requireDatabase(readConfig(process.env).databaseUrl)
  await withService(work)
}

/** @throws {DatabaseError} when a file is named that is not there. */
export function requireDatabase(databaseUrl: string): void {
  if (!isThere(databaseUrl))
    throw new DatabaseError(
      `There is no database ${sqlitePath(databaseUrl)}. Check its URL and the folder that this runs in.`,
    )
}

/** What a server has is not a file, and known when it answers. */
function isThere(databaseUrl: string): boolean {
  return !databaseUrl.startsWith('sqlite:') || existsSync(sqlitePath(databaseUrl))
}

/** Opens what `SECRET_KEY` has sealed. */
export async function openBox(config: Config, db: Db): Promise<SecretBox> {
  return makeSecretBox(makeKeyRing(await rootKeysOf(config, db)))
}
