import { sql } from 'kysely'
import { listAccountsById } from '../../accounts/list-accounts.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import { oweUnknownCodes, owingAmong } from '../../factors/enrolment-code.ts'
import type { Factor } from '../../factors/factor.ts'
import { factors } from '../../factors/registry.ts'
import type { Clock } from '../../platform/clock.ts'
import { type Db, inTransaction, keepStill, type Trx } from '../../platform/database.ts'
import { tables } from '../../tables.ts'
import { sealedHashKey } from '../../tokens/hash-key.ts'
import { keyIdIn } from '../../tokens/key-holders.ts'
import { sealedTables } from './sealed-values.ts'

const PAGE_SIZE = 500

/**
 * Deletes what only a lost key could read: values that are sealed under none of these keys and, if the hash key is among
 * them, everything that was hashed under it; passkeys are recognised by it too. An account that loses its last factor by
 * this, or had no factor and needed an enrolment code, now needs a code that no one knows: a stranger with its password
 * cannot set up a factor. All of it happens or nothing.
 *
 * @returns the ids of these accounts.
 */
export async function forgetLost(db: Db, keyRing: KeyRing, clock: Clock): Promise<string[]> {
  return inTransaction(db, async (trx) => {
    await keepStill(
      trx,
      tables.map(({ name }) => name),
    )
    const before = await enrolledOrOwing(trx, factors)
    const held = sql.join(keyRing.all.map(({ id }) => id))
    for (const { name, sealed } of sealedTables)
      await sql`delete from ${sql.table(name)} where ${keyIdIn(sealed.column)} not in (${held})`.execute(trx)
    const hashKeyLost = !(await sealedHashKey(trx))
    if (hashKeyLost)
      // The hashes of accounts are of passwords, which need no key.
      for (const { name, secrets } of tables)
        if (secrets && name !== 'accounts') await sql`delete from ${sql.table(name)}`.execute(trx)
    const after = await enrolledOrOwing(
      trx,
      factors.filter(({ boundToHashKey }) => !(hashKeyLost && boundToHashKey)),
    )
    const bereft = [...before].filter((id) => !after.has(id))
    await oweUnknownCodes(trx, bereft, clock.now())
    return bereft
  })
}

async function enrolledOrOwing(trx: Trx, among: readonly Factor[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let after: string | undefined = ''; after !== undefined; ) {
    const ids: string[] = (await listAccountsById(trx, after, PAGE_SIZE)).map(({ id }) => id)
    for (const { activeAmong } of [...among, { activeAmong: owingAmong }])
      for (const id of await activeAmong(trx, ids)) found.add(id)
    after = ids.at(-1)
  }
  return found
}
