import { daysUnenrolled, listUnenrolled } from '../../accounts/remove-unenrolled.ts'
import type { Config } from '../../config.ts'
import { makeKeyRing } from '../../crypto/key-ring.ts'
import { makeSecretBox } from '../../crypto/secret-box.ts'
import { explainFailure } from '../../explain-failure.ts'
import { factors } from '../../factors/registry.ts'
import { type Clock, DAY_MS, rfc3339 } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { hasHashKey, openHashKey } from '../../tokens/hash-key.ts'
import { instancesLacking } from '../../tokens/key-holders.ts'
import { rootKeysOf } from '../../tokens/root-keys.ts'
import { describeSigningKeys } from '../../tokens/signing-keys.ts'
import { isRpId, originsBelow } from '../../values/relying-party.ts'
import { countOf, type KeyStatus, statusOfKeys } from '../table-rows.ts'
import { fail, ok, type Result, warn } from './finding.ts'

/** Checks that `SECRET_KEY` opens what is sealed, and whether old keys could be removed. */
export async function checkKeys(config: Config, db: Db, clock: Clock): Promise<Result[]> {
  if (!(await hasHashKey(db))) return [ok('nothing is sealed yet: no service has used this database')]
  try {
    const ring = makeKeyRing(await rootKeysOf(config, db))
    const box = makeSecretBox(ring)
    await openHashKey({ db, box, clock })
    const findings = [ok(`SECRET_KEY is strong and opens the database (key ${ring.primary.id})`)]
    const { keys, replicas } = await statusOfKeys(db, ring, clock)
    for (const key of keys.filter(({ seals }) => !seals)) findings.push(checkOther(key))
    const lacking = instancesLacking(ring.primary.id, replicas)
    if (lacking.length > 0)
      findings.push(
        warn(
          `${lacking.join(', ')} ${lacking.length > 1 ? 'serve' : 'serves'} without the key ${ring.primary.id}, which comes first in SECRET_KEY here`,
          'What it seals does not open there: restart each of them with this SECRET_KEY.',
        ),
      )
    return [...findings, await checkSigningKeys(db, clock)]
  } catch (error) {
    const words = explainFailure(error)
    if (words === undefined) throw error
    return [fail(words, 'Without the right key no service starts and no authenticator is read.')]
  }
}

async function checkSigningKeys(db: Db, clock: Clock): Promise<Result> {
  const signing = (await describeSigningKeys(db, clock)).find(({ role }) => role === 'signs')
  return signing
    ? ok(`${signing.kid} signs tokens (${signing.alg}, made ${rfc3339(signing.createdAt).slice(0, 10)})`)
    : warn('no key signs tokens yet', 'The first start of the service makes one.')
}

/** One that is not the first. */
function checkOther(key: KeyStatus): Result {
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

const DAYS_AHEAD = 7
const SHOWN = 20

/** Which accounts the service removes by itself, because they were never used. */
export async function checkAccounts(
  config: Pick<Config, 'mfaPolicy' | 'unenrolledDays'>,
  db: Db,
  clock: Clock,
): Promise<Result[]> {
  const days = daysUnenrolled(config)
  if (days === 0) {
    const why = config.mfaPolicy === 'optional' ? 'MFA_POLICY is optional' : 'UNENROLLED_DAYS is 0'
    return [ok(`none is removed by itself: ${why}`)]
  }
  const until = clock.now() + DAYS_AHEAD * DAY_MS
  const { count, next } = await listUnenrolled(db, { days, until, limit: SHOWN })
  if (count === 0) return [ok(`UNENROLLED_DAYS removes none within ${DAYS_AHEAD} days`)]
  const names = next.map(({ username, removedAt }) => `${username} (${rfc3339(removedAt)})`)
  const more = count > next.length ? ` and ${count - next.length} more` : ''
  return [
    ok(`UNENROLLED_DAYS removes ${count} unused ones within ${DAYS_AHEAD} days: ${names.join(', ')}${more}`),
  ]
}

/** Checks that browsers will make and use passkeys for this service, and that those it has are of use. */
export async function checkPasskeys(config: Pick<Config, 'relyingParty'>, db: Db): Promise<Result[]> {
  const { relyingParty } = config
  const { id, origins } = relyingParty
  if (!isRpId(id))
    return [warn(`none: ISSUER is the address ${id}, which can have none`, 'Give the service a domain.')]
  if (origins.length === 0)
    return [
      warn(
        `none: no page of ${id} is over https`,
        'Put a proxy with TLS before the service, or set WEBAUTHN_ORIGINS to the pages of your apps.',
      ),
    ]
  const findings = [ok(`for ${id}, from ${origins.join(', ')}`)]
  const pages = origins.filter((origin) => origin.startsWith('http'))
  const related = pages.filter((origin) => !originsBelow(id, pages).includes(origin))
  if (related.length > 0)
    findings.push(
      ok(
        `from ${related.join(', ')} only where https://${id}/.well-known/webauthn names it (docs/passkeys.md)`,
      ),
    )
  for (const { faultAtStart } of factors) {
    const fault = await faultAtStart?.({ db, relyingParty })
    if (fault) findings.push(fail(fault, 'Until then the service does not start.'))
  }
  return findings
}
