import type { Config } from '../config.ts'
import { makeKeyRing } from '../crypto/key-ring.ts'
import { makeSecretBox } from '../crypto/secret-box.ts'
import type { Db } from '../platform/database.ts'
import { hasHashKey, sealedHashKey } from './hash-key.ts'
import { keptSecretKey } from './secret-key-file.ts'
import { hashKeyContext } from './tables.ts'

/**
 * The root keys of `SECRET_KEY`. Without that, the one that is kept next to the SQLite file.
 *
 * @throws {DatabaseError} when that file is missing although it should exist, or cannot be read.
 */
export async function rootKeysOf(config: Config, db: Db): Promise<readonly Buffer[]> {
  if (config.secretKeys) return config.secretKeys
  return [keptSecretKey(config.databaseUrl, { mayMake: !(await hasHashKey(db)) })]
}

/**
 * Asks before a database is changed whether it is the one of this `SECRET_KEY`; one without keys is anybody's.
 *
 * @throws {UnsealError} when it was sealed under another one.
 * @throws {DatabaseError} as {@link rootKeysOf}.
 */
export async function requireRootKeys(config: Config, db: Db): Promise<void> {
  const tables = await db.introspection.getTables()
  if (!tables.some(({ name }) => name === 'hash_keys')) return
  const sealed = await sealedHashKey(db)
  if (sealed) makeSecretBox(makeKeyRing(await rootKeysOf(config, db))).open(sealed, hashKeyContext('primary'))
}
