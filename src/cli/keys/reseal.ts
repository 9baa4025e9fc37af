import type { SecretBox } from '../../crypto/secret-box.ts'
import type { Db } from '../../platform/database.ts'
import { replaceSealed, sealedTables, sealedValues } from './sealed-values.ts'

/**
 * Seals everything again under the first `SECRET_KEY`, so that the others can be removed. Safe while a service runs whose
 * replicas all seal under that key, and safe to repeat.
 *
 * @returns how many values were sealed again, by kind.
 * @throws {UnsealError} when a value opens under none of the keys. Values before it stay resealed.
 */
export async function reseal(db: Db, box: SecretBox): Promise<Record<string, number>> {
  const resealed: Record<string, number> = {}
  for (const table of sealedTables) {
    let count = 0
    for await (const value of sealedValues(db, table)) {
      if (box.isCurrent(value.sealed)) continue
      await replaceSealed(db, table, value, box.seal(box.open(value.sealed, value.context), value.context))
      count += 1
    }
    resealed[table.sealed.name] = count
  }
  return resealed
}
