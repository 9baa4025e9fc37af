import { newHashKey } from '../crypto/keyed-hash.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { findHashKey, insertHashKey } from './key-store.ts'
import { hashKeyContext } from './tables.ts'

const ID = 'primary'

/**
 * The key under which codes and tokens are hashed. It is random, made once for each database and kept sealed in it:
 * hashes cannot be recomputed from what is stored, so the key must outlive a change of `SECRET_KEY`.
 *
 * @throws {UnsealError} when `SECRET_KEY` is not the one that sealed it.
 */
export async function openHashKey(room: { db: Db; box: SecretBox; clock: Clock }): Promise<Buffer> {
  const { db, box, clock } = room
  const stored = await findHashKey(db, ID)
  if (stored) return box.open(stored.sealed_key, hashKeyContext(ID))
  await insertHashKey(db, {
    id: ID,
    sealed_key: box.seal(newHashKey(), hashKeyContext(ID)),
    created_at: clock.now(),
  })
  return openHashKey(room)
}

/** Whether anything in this database is sealed already: a database gets its hash key first. */
export async function hasHashKey(db: Db): Promise<boolean> {
  return (await sealedHashKey(db)) !== undefined
}

/** The key as it is stored. No two databases have the same, unless one was copied from the other. */
export async function sealedHashKey(db: Db): Promise<string | undefined> {
  return (await findHashKey(db, ID))?.sealed_key
}
