import type { Config } from '../config.ts'
import type { Db } from '../platform/database.ts'
import { keptSecretKey } from '../platform/secret-key-file.ts'
import { hasHashKey } from './hash-key.ts'

/**
 * The root keys of `SECRET_KEY` or, where none is given, the one kept beside the SQLite file.
 *
 * @throws {DatabaseError} when that file should be there and is not, or cannot be read.
 */
export async function rootKeysOf(config: Config, db: Db): Promise<readonly Buffer[]> {
  if (config.secretKeys) return config.secretKeys
  return [keptSecretKey(config.databaseUrl, { mayMake: !(await hasHashKey(db)) })]
}
