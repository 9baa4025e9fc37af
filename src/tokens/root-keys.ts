import type { Config } from '../config.ts'
import type { Db } from '../platform/database.ts'
import { hasHashKey } from './hash-key.ts'
import { keptSecretKey } from './secret-key-file.ts'

/**
 * The root keys of `SECRET_KEY`. Without that, the one that is kept next to the SQLite file.
 *
 * @throws {DatabaseError} when that file is missing although it should exist, or cannot be read.
 */
export async function rootKeysOf(config: Config, db: Db): Promise<readonly Buffer[]> {
  if (config.secretKeys) return config.secretKeys
  return [keptSecretKey(config.databaseUrl, { mayMake: !(await hasHashKey(db)) })]
}
