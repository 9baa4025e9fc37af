import type { Config } from '../config.ts'
import { type KeyRing, makeKeyRing } from '../crypto/key-ring.ts'
import { sealedUnder } from '../crypto/secret-box.ts'
import { rfc3339 } from '../platform/clock.ts'
import { DatabaseError, type Db } from '../platform/database.ts'
import { sealedHashKey } from './hash-key.ts'
import { sealingSince } from './key-holders.ts'
import { keptSecretKey } from './secret-key-file.ts'

/**
 * The root keys of `SECRET_KEY`. Without that, the one that is kept next to the SQLite file.
 *
 * @throws {DatabaseError} when none of them opens this database; when that file is missing although it should exist, or
 * cannot be read.
 */
export async function rootKeysOf(config: Config, db: Db): Promise<readonly Buffer[]> {
  const sealed = await sealedHashKey(db)
  const keys = givenRootKeys(config, { mayMake: sealed === undefined })
  if (sealed) await requireHeld(db, makeKeyRing(keys), sealedUnder(sealed))
  return keys
}

/** The same, whether they open the database or not. @throws {DatabaseError} about the file. */
export function givenRootKeys(config: Config, { mayMake = false } = {}): readonly Buffer[] {
  return config.secretKeys ?? [keptSecretKey(config.databaseUrl, { mayMake })]
}

/**
 * Asks before a database is changed whether it is the one of this `SECRET_KEY`. One without keys is anybody's.
 *
 * @throws {DatabaseError} as {@link rootKeysOf}.
 */
export async function requireRootKeys(config: Config, db: Db): Promise<void> {
  const tables = await db.introspection.getTables()
  if (tables.some(({ name }) => name === 'hash_keys') && (await sealedHashKey(db)))
    await rootKeysOf(config, db)
}

/** Tells a missing new key from a missing old one, and both from a database of another service. */
async function requireHeld(db: Db, keyRing: KeyRing, id: string): Promise<void> {
  if (keyRing.find(id)) return
  // A database of before 0026 has no such table.
  const since = await sealingSince(db).catch(() => new Map<string, number>())
  const used = keyRing.all.map((key) => since.get(key.id)).filter((at) => at !== undefined)
  const wrong = `SECRET_KEY is not the key this database was sealed with (${id}): it lacks`
  const sealing = since.get(id)
  if (used.length === 0 || sealing === undefined)
    throw new DatabaseError(
      `SECRET_KEY is not the key this database was sealed with (${id}), and none that is given ever was. It is mistyped or of another environment; or it is new, and the old one is missing after a comma.`,
    )
  if (used.every((at) => at < sealing))
    throw new DatabaseError(
      `${wrong} the new one, which has sealed here since ${rfc3339(sealing)}. Put that in front of what is given.`,
    )
  throw new DatabaseError(
    `${wrong} the old one, which is needed until "keyturn keys reseal" is done. Give it too, after a comma.`,
  )
}
