import type { Config } from '../../config.ts'
import { factors } from '../../factors/registry.ts'
import type { Db } from '../../platform/database.ts'
import { isRpId, originsBelow } from '../../values/relying-party.ts'
import { type Finding, findingsOf } from './finding.ts'

const { fail, ok, warn } = findingsOf('passkeys')

/** Checks that browsers will make and use passkeys for this service, and that those it has are of use. */
export async function checkPasskeys(config: Pick<Config, 'relyingParty'>, db: Db): Promise<Finding[]> {
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
