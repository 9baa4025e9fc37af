#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { makeKeyRing } from '../crypto/key-ring.ts'
import { makeSecretBox, type SecretBox, UnsealError } from '../crypto/secret-box.ts'
import { rfc3339, systemClock } from '../platform/clock.ts'
import { DatabaseError, type Db, openDatabase } from '../platform/database.ts'
import { readEnvFile } from '../platform/env-file.ts'
import { migrateDown, migrateUp, migrationStatus } from '../platform/migrate.ts'
import { rootKeysOf } from '../tokens/root-keys.ts'
import { describeSigningKeys, openSigningKeys } from '../tokens/signing-keys.ts'
import { reseal } from './reseal.ts'

/** What was typed is not a command: another exit code than for a command that failed. */
const MISUSED = 2

const program = new Command('keyturn')
  .description('Looks after a Keyturn database. It reads the same environment as the service.')
  .exitOverride()
  .showHelpAfterError()

const migrate = program.command('migrate').description('bring the database up or down')

migrate
  .command('up')
  .description('apply every migration the database does not have')
  .action(() => withDatabase(async (db) => report('up', await migrateUp(db))))

migrate
  .command('down')
  .description('take back the last migration; what it stored is gone')
  .action(() => withDatabase(async (db) => report('down', await migrateDown(db))))

migrate
  .command('status')
  .description('list the migrations and when each was applied')
  .action(() =>
    withDatabase(async (db) => {
      for (const { name, appliedAt } of await migrationStatus(db))
        console.log(`${name}  ${appliedAt?.toISOString() ?? 'not applied'}`)
    }),
  )

const keys = program.command('keys').description('signing keys, and the SECRET_KEY that seals them')

keys
  .command('list')
  .description('list the signing keys')
  .action(() =>
    withMigratedDatabase(async (db) => {
      for (const { kid, alg, createdAt, role } of await describeSigningKeys(db, systemClock))
        console.log(`${kid}  ${alg}  made ${rfc3339(createdAt)}  ${role}`)
    }),
  )

keys
  .command('rotate')
  .description('make the next signing key; it signs once every verifier can know it')
  .action(() =>
    withMigratedDatabase(async (db, config) => {
      const { jwtAlg: alg, accessTokenTtl: tokenTtl } = config
      const box = await openBox(config, db)
      const signingKeys = await openSigningKeys({ db, box, clock: systemClock, alg, tokenTtl })
      const next = await signingKeys.rotate()
      console.log(
        `The next signing key is ${next.kid} (${next.alg}). It is published now and signs in ten minutes.`,
      )
    }),
  )

keys
  .command('reseal')
  .description('seal everything under the first SECRET_KEY, so that the others can be dropped')
  .action(() =>
    withMigratedDatabase(async (db, config) => {
      for (const [name, count] of Object.entries(await reseal(db, await openBox(config, db))))
        console.log(`${name}: ${count} sealed anew`)
    }),
  )

function report(direction: string, names: string[]): void {
  console.log(names.length === 0 ? 'Nothing to do.' : `${direction}: ${names.join(', ')}`)
}

async function openBox(config: Config, db: Db): Promise<SecretBox> {
  return makeSecretBox(makeKeyRing(await rootKeysOf(config, db)))
}

async function withDatabase(work: (db: Db, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env)
  const db = await openDatabase(config.databaseUrl)
  try {
    await work(db, config)
  } finally {
    await db.destroy()
  }
}

async function withMigratedDatabase(work: (db: Db, config: Config) => Promise<void>): Promise<void> {
  await withDatabase(async (db, config) => {
    await migrateUp(db)
    await work(db, config)
  })
}

readEnvFile()
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : MISUSED
  else if (error instanceof ConfigError || error instanceof DatabaseError || error instanceof UnsealError) {
    console.error(error.message)
    process.exitCode = 1
  } else throw error
}
