import type { Config } from '../../config.ts'
import { makeKeyRing } from '../../crypto/key-ring.ts'
import { makeSecretBox } from '../../crypto/secret-box.ts'
import { explainFailure } from '../../explain-failure.ts'
import { type Clock, rfc3339 } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { hasHashKey, openHashKey } from '../../tokens/hash-key.ts'
import { rootKeysOf } from '../../tokens/root-keys.ts'
import { describeSigningKeys } from '../../tokens/signing-keys.ts'
import { countOf, type KeyStatus, statusOfKeys } from '../keys/status.ts'
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
    const { keys } = await statusOfKeys(db, ring, clock)
    for (const key of keys.filter(({ seals }) => !seals)) findings.push(checkOther(key))
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

/** One that is not the first. */
function checkOther(key: KeyStatus): Finding {
  const count = countOf(key)
  if (!key.held)
    return fail(
      `${count} values are sealed under the key ${key.id}, which SECRET_KEY does not hold`,
      'Give that key too, after a comma, and run keyturn keys reseal. If it is lost: keyturn keys forget-lost.',
    )
  return count > 0
    ? warn(
        `${count} values are still sealed under the older key ${key.id}`,
        'Where every replica seals under the first one, run keyturn keys reseal.',
      )
    : warn(`nothing is sealed under the key ${key.id}`, 'Drop it, if it is not the next one.')
}
