import type { SecretBox } from '../../crypto/secret-box.ts'
import type { Db } from '../../platform/database.ts'
import { sealedColumns } from './sealed-columns.ts'

const PAGE_SIZE = 500

/**
 * Seals everything anew under the first `SECRET_KEY`, so that the others can be dropped. Safe beside a running
 * service, and to repeat.
 *
 * @returns how many values were sealed anew, by what they are.
 * @throws {UnsealError} when a value opens under none of the keys; what was done before stays done.
 */
export async function reseal(db: Db, box: SecretBox): Promise<Record<string, number>> {
  const resealed: Record<string, number> = {}
  for (const { name, page, replace } of sealedColumns) {
    resealed[name] = 0
    for (let after = ''; ; ) {
      const values = await page(db, after, PAGE_SIZE)
      for (const { id, sealed, context } of values.filter((value) => !box.isCurrent(value.sealed))) {
        await replace(db, id, sealed, box.seal(box.open(sealed, context), context))
        resealed[name] += 1
      }
      const last = values.at(-1)
      if (!last) break
      after = last.id
    }
  }
  return resealed
}
