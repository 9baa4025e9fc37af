import { pino } from 'pino'
import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { type Config, readConfig } from '../config.ts'
import { makeKeyRing } from '../crypto/key-ring.ts'
import { makeSecretBox, type SecretBox } from '../crypto/secret-box.ts'
import { systemClock } from '../platform/clock.ts'
import { DatabaseError, type Db, isInUse, openDatabase } from '../platform/database.ts'
import { migrateUp } from '../platform/migrate.ts'
import { isThere, sqlitePath } from '../platform/sqlite-files.ts'
import type { Service } from '../service.ts'
import { requireRootKeys, rootKeysOf } from '../tokens/root-keys.ts'
import { isUuid } from '../values/uuid.ts'
import { CommandFailed } from './terminal.ts'

/** Opens the configured database without migrating it, for the duration of some work. */
export async function withDatabase(
  work: (db: Db, config: Config) => Promise<void>,
  {
    config = readConfig(process.env),
    mayMake = false,
  }: { config?: Config | undefined; mayMake?: boolean } = {},
): Promise<void> {
  const db = await openDatabase(config.databaseUrl, { poolSize: config.databasePoolSize, mayMake })
  try {
    await work(db, config)
  } finally {
    await db.destroy()
  }
}

/** Opens the configured database and brings it up to this version first. */
async function withMigratedDatabase(
  work: (db: Db, config: Config) => Promise<void>,
  config?: Config,
): Promise<void> {
  await withDatabase(
    async (db, config) => {
      await migrateUp(db, () => requireRootKeys(config, db))
      await work(db, config)
    },
    { config },
  )
}

/**
 * Makes everything of a service except HTTP and its background work: a command runs the same use cases as the API.
 *
 * @throws {UnsealError} when the database was sealed under another `SECRET_KEY`.
 */
export async function withService(work: (service: Service) => Promise<void>, config?: Config): Promise<void> {
  await withMigratedDatabase(async (db, config) => {
    const rootKeys = await rootKeysOf(config, db)
    // This loads a lot, which other commands need not wait for.
    const { makeService } = await import('../service.ts')
    // Commands print their own results, and the audit trail records them.
    const logger = pino({ level: 'silent' })
    await work(await makeService({ config, db, clock: systemClock, logger, rootKeys }))
  }, config)
}

/** For a rehearsal: a database in memory in the place of one that is not there, so that none is made. */
export function configOfRehearsal(): Config {
  const config = readConfig(process.env)
  return hasDatabase(config.databaseUrl) ? config : { ...config, databaseUrl: 'sqlite::memory:' }
}

/** As `withService`, for commands that need an existing database: a mistyped path must not make a new one. */
export async function withExistingService(work: (service: Service) => Promise<void>): Promise<void> {
  requireDatabase(readConfig(process.env).databaseUrl)
  await withService(work)
}

/** As `withExistingService`, for commands that need no service, and so no right `SECRET_KEY`. */
export async function withExistingDatabase(work: (db: Db, config: Config) => Promise<void>): Promise<void> {
  requireDatabase(readConfig(process.env).databaseUrl)
  await withMigratedDatabase(work)
}

/**
 * For commands that change what a service reads once. A database that is too damaged to be opened is in use by no one: who
 * has it open keeps others from looking.
 *
 * @throws {CommandFailed}
 */
export async function requireUnused(databaseUrl: string): Promise<void> {
  if (await isInUse(databaseUrl).catch(() => false))
    throw new CommandFailed('A service, or another program, has the database open. Stop it first.')
}

/** @throws {DatabaseError} when the URL names a file that does not exist, or that this user may not see. */
export function requireDatabase(databaseUrl: string): void {
  if (!hasDatabase(databaseUrl))
    throw new DatabaseError(
      `There is no database ${sqlitePath(databaseUrl)}. Check its URL and the folder that this runs in.`,
    )
}

/** A database on a server is not a file. Whether it exists is known when the server answers. */
function hasDatabase(databaseUrl: string): boolean {
  return !databaseUrl.startsWith('sqlite:') || isThere(sqlitePath(databaseUrl))
}

/** Opens values that are sealed under `SECRET_KEY`. */
export async function openBox(config: Config, db: Db): Promise<SecretBox> {
  return makeSecretBox(makeKeyRing(await rootKeysOf(config, db)))
}

/**
 * Finds an account by its id or username. Ids come first: a person who took the id of another account as a name is
 * not meant.
 *
 * @throws {CommandFailed} when there is none.
 */
export async function findAccount(accounts: Accounts, user: string): Promise<Account> {
  const id = user.toLowerCase()
  const account = (isUuid(id) && (await accounts.byId(id))) || (await accounts.byUsername(user))
  if (!account) throw new CommandFailed(`There is no account "${user}".`)
  return account
}
