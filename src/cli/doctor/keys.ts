import type { Config } from '../../config.ts'
import { makeKeyRing } from '../../crypto/key-ring.ts'
import { makeSecretBox } from '../../crypto/secret-box.ts'
import { explainFailure } from '../../explain-failure.ts'
import { type Clock, rfc3339 } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { hasHashKey, openHashKey } from '../../tokens/hash-key.ts'
import { rootKeysOf } from '../../tokens/root-keys.ts'
import { describeSigningKeys } from '../../tokens/signing-keys.ts'
import { sealedTables, sealedValues } from '../keys/sealed-values.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('keys')

/** Checks that `SECRET_KEY` opens what is sealed, and whether old keys could be removed. */
export async function checkKeys(config: Config, db: Db, clock: Clock): Promise<Finding[]> {
  if (!(await hasHashKey(db))) return [ok('nothing is sealed yet: no service has used this database')]
  try {
    const ring = makeKeyRing(await rootKeysOf(config, db))
    const box = makeSecretBox(ring)
    await openHashKey({ db, box, clock })
    const findings = [ok(`SECRET_KEY is strong and opens the database (key ${ring.primary.id})`)]
    const old = await countOld(db, (sealed) => box.isCurrent(sealed))
    if (old > 0)
      findings.push(
        warn(`${old} values are still sealed under an older SECRET_KEY`, 'Run keyturn keys reseal.'),
      )
    else if (ring.all.length > 1)
      findings.push(warn('nothing is sealed under the older keys any more', 'Drop them from SECRET_KEY.'))
    return [...findings, await checkSigningKeys(db, clock)]
  } catch (error) {
    const words = explainFailure(error)
    if (words === undefined) throw error
    return [fail(words, 'Without the right key no service starts and no authenticator is read.')]
  }
}

async function checkSigningKeys(db: Db, clock: Clock): Promise<Finding> {
  const signing = (await describeSigningKeys(db, clock)).find(({ role }) => role === 'signs')
  return signing
    ? ok(`${signing.kid} signs tokens (${signing.alg}, made ${rfc3339(signing.createdAt).slice(0, 10)})`)
    : warn('no key signs tokens yet', 'The first start of the service makes one.')
}

async function countOld(db: Db, isCurrent: (sealed: string) => boolean): Promise<number> {
  let old = 0
  for (const table of sealedTables)
    for await (const { sealed } of sealedValues(db, table)) if (!isCurrent(sealed)) old += 1
  return old
}
