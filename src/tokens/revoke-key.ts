import { type SecretBox, sealedUnder } from '../crypto/secret-box.ts'
import type { Clock } from '../platform/clock.ts'
import { type Db, inTransaction } from '../platform/database.ts'
import { PUBLISH_LEAD_MS, signingKeyAt } from './key-schedule.ts'
import { dateSigningKey, deleteSigningKeys, insertSigningKey, lockSigningKeys } from './key-store.ts'
import { newSigningKey, type SigningAlg } from './signing-keys.ts'

/**
 * Takes a signing key that others may know out of use: it is deleted, so that it leaves the key set and nothing that it
 * has signed is believed. Where it was the one that signs, the newest key signs from now on, and is made now if none
 * waits. Every process knows when it next looks at the keys.
 *
 * @param alg of a key that has to be made.
 * @returns the key that signs now, and the id of the key of `SECRET_KEY` that seals it; `undefined` when there was no
 * such key.
 */
export async function revokeSigningKey(
  { db, box, clock, alg }: { db: Db; box: SecretBox; clock: Clock; alg: SigningAlg },
  kid: string,
): Promise<{ kid: string; alg: SigningAlg; sealedUnder: string } | undefined> {
  // Made before the transaction, which would wait for it, whether it is needed or not.
  const spare = await newSigningKey(box, { alg, generation: 0, createdAt: 0 })
  return inTransaction(db, async (trx) => {
    const now = clock.now()
    const keys = await lockSigningKeys(trx)
    const revoked = keys.find(({ id }) => id === kid)
    if (!revoked) return undefined

    if (revoked === signerOf(keys, now)) {
      const { id, generation } = keys.at(-1) ?? revoked
      if (id === kid) await insertSigningKey(trx, { ...spare, generation: generation + 1, created_at: now })
      const newest = (await lockSigningKeys(trx)).at(-1) ?? revoked
      // Its time to be published before it signs is over: what it replaces must not sign in it.
      await dateSigningKey(trx, newest.id, Math.min(newest.created_at, now - PUBLISH_LEAD_MS))
    }
    await deleteSigningKeys(trx, [kid])
    const signer = signerOf(await lockSigningKeys(trx), now)
    return signer && { kid: signer.id, alg: signer.alg, sealedUnder: sealedUnder(signer.sealed_private_key) }
  })
}

function signerOf<K extends { created_at: number }>(rows: readonly K[], now: number): K | undefined {
  const dated = rows.map((row) => ({ createdAt: row.created_at, row }))
  return signingKeyAt(dated, now)?.row
}
