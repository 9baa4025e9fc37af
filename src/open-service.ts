import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { buildApp } from './api/app.ts'
import { type Config, ConfigError } from './config.ts'
import { OWASP_LEAST_WORK } from './crypto/argon2-engine.ts'
import { type KeyRing, makeKeyRing } from './crypto/key-ring.ts'
import { rfc3339, systemClock } from './platform/clock.ts'
import { DatabaseError, type Db, openDatabase } from './platform/database.ts'
import { explainFault } from './platform/database-faults.ts'
import { inUrl, isEveryAddress } from './platform/hosts.ts'
import { migrateUp } from './platform/migrate.ts'
import { markMade } from './platform/sqlite.ts'
import { makeService, type Service, type Surroundings } from './service.ts'
import { tables } from './tables.ts'
import {
  keyIdIn,
  lacking,
  liveReplicas,
  makeKeyHolder,
  noteSealing,
  sealingSince,
} from './tokens/key-holders.ts'
import { requireRootKeys, rootKeysOf } from './tokens/root-keys.ts'
import { startBackgroundWork } from './upkeep/background-work.ts'
import { tryToStore } from './upkeep/probe.ts'

interface Opening extends Omit<Surroundings, 'clock' | 'db' | 'rootKeys'> {
  /** Called when all else has been closed. */
  closed?: () => Promise<void>
}

/**
 * Opens everything that serves: the database, brought up to this version, the service on it, its routes, and its
 * work in the background. Closing the application closes all of it.
 *
 * @throws {DatabaseError} when the database does not answer, or is not fit to work with.
 * @throws {UnsealError} when the database was sealed under another `SECRET_KEY`.
 */
export async function openService(opening: Opening): Promise<{ app: FastifyInstance; service: Service }> {
  const { config, logger } = opening
  for (const sentence of [...config.warnings, ...weaknesses(config)]) logger.warn(sentence)
  const db = await openDatabase(config.databaseUrl, { poolSize: config.databasePoolSize })
  try {
    const migrations = await migrateUp(db, () => requireRootKeys(config, db))
    if (migrations.length > 0)
      logger.info({ migrations: migrations.length, newest: migrations.at(-1) }, 'database migrated')
    await requireStoring(db)
    const rootKeys = await rootKeysOf(config, db)
    const keyRing = makeKeyRing(rootKeys)
    await requireNewerKeys(db, keyRing)
    const service = await makeService({ ...opening, db, clock: systemClock, rootKeys })
    for (const { faultAtStart } of service.factors.all) {
      const fault = await faultAtStart?.(service)
      if (fault) throw new ConfigError([fault])
    }
    // Without SECRET_KEY the file that keeps the key tells as well.
    if (config.secretKeys) markMade(config.databaseUrl)
    const keyHolder = await beginToHold(service, keyRing, logger)
    const app = await buildApp(service, logger)
    const endBackgroundWork = startBackgroundWork({ ...service, keyHolder, logger })
    app.addHook('onClose', async () => {
      await endBackgroundWork()
      await keyHolder.leave().catch(() => {})
      await db.destroy()
      await opening.closed?.()
    })
    return { app, service }
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/**
 * The hash key is resealed last, and does not tell that another replica seals under a newer key by now.
 *
 * @throws {DatabaseError} when values are sealed under a key that came after one of these and is not among them.
 */
async function requireNewerKeys(db: Db, keyRing: KeyRing): Promise<void> {
  const since = await sealingSince(db)
  const first = Math.min(...keyRing.all.map(({ id }) => since.get(id) ?? Number.POSITIVE_INFINITY))
  for (const [id, at] of since)
    if (at > first && !keyRing.find(id))
      for (const { name, sealed } of tables) {
        if (!sealed) continue
        const { rows } =
          await sql`select 1 from ${sql.table(name)} where ${keyIdIn(sealed.column)} = ${id} limit 1`.execute(
            db,
          )
        if (rows.length > 0)
          throw new DatabaseError(
            `SECRET_KEY lacks the new key (${id}), which has sealed ${sealed.name} here since ${rfc3339(at)}. Give it too, after a comma.`,
          )
      }
}

/** Warns where another replica could not open what this one seals: no rotation needs that. */
async function beginToHold({ db, clock }: Service, keyRing: KeyRing, logger: Opening['logger']) {
  const behind = lacking(keyRing.primary.id, await liveReplicas(db, clock))
  if (behind) logger.warn(`${behind} Until then what this one seals may not open there.`)
  await noteSealing(db, keyRing.primary.id, clock)
  const keyHolder = makeKeyHolder({ db, clock, keyRing })
  await keyHolder.note()
  return keyHolder
}

/** @throws {DatabaseError} when nothing can be stored: no one could sign in. */
async function requireStoring(db: Db): Promise<void> {
  const fault = await tryToStore({ db, clock: systemClock })
  if (fault) throw new DatabaseError(explainFault(fault), { cause: fault.error })
}

/** What may be on purpose, but mostly is not. */
function weaknesses({ argon2, corsOrigins, host, issuer, relyingParty, trustProxy }: Config): string[] {
  const weak: [boolean, string][] = [
    [
      isEveryAddress(host) && new URL(issuer).hostname === inUrl(host),
      `ISSUER is not set, so every token names ${issuer}, which no client can reach: set it to the address that clients use`,
    ],
    [
      argon2.memoryKib * argon2.passes < OWASP_LEAST_WORK,
      'The password hash is cheaper than OWASP recommends: raise ARGON2_MEMORY_KIB or ARGON2_TIME',
    ],
    [
      issuer.startsWith('https:') && trustProxy.length === 0,
      'ISSUER is https, so a proxy stands before this service, but TRUST_PROXY does not name it: all clients count as one address',
    ],
  ]
  for (const origin of corsOrigins)
    weak.push([
      !relyingParty.origins.includes(origin),
      `CORS_ORIGINS names ${origin}, whose pages cannot use passkeys: they are not in WEBAUTHN_ORIGINS, and not below ${relyingParty.id}`,
    ])
  return weak.filter(([is]) => is).map(([, sentence]) => sentence)
}
