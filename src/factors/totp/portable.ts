import { newId } from '../../platform/ids.ts'
import { type PortableSecrets, SecretError } from '../factor.ts'
import { LONGEST_SECRET_BYTES, NO_STEP, SHORTEST_SECRET_BYTES } from './code.ts'
import { base32, readBase32 } from './key-uri.ts'
import { activeTotpSecrets, DEFAULT_NAME, insertActiveTotpFactors } from './store.ts'
import { totpSecretContext } from './tables.ts'

interface Parameters {
  secret: string
  digits: string
  period: string
  algorithm: string
}

/**
 * Secrets of authenticators in imported and exported files. No code needs to confirm one that its owner already uses.
 */
export const totpSecrets: PortableSecrets = {
  fields: {
    totp_secret: 'base32, or an otpauth:// URI',
    totp_digits: '6',
    totp_period: '30',
    totp_algorithm: 'SHA1',
  },

  option: {
    flag: '--with-totp-secrets',
    description: 'include the secrets of authenticators',
    warning: 'The file has the secrets of authenticators in clear: anyone who gets it can make their codes.',
  },

  read({ totp_secret: secret = '', totp_digits, totp_period, totp_algorithm }) {
    const { digits, period, algorithm, ...rest }: Parameters = /^otpauth:/i.test(secret)
      ? readKeyUri(secret)
      : {
          secret,
          digits: totp_digits ?? '6',
          period: totp_period ?? '30',
          algorithm: totp_algorithm ?? 'SHA1',
        }
    if (digits !== '6') throw new SecretError(`its codes have ${digits} digits; here they have 6`)
    if (period !== '30') throw new SecretError(`its codes last ${period} seconds; here they last 30`)
    if (!/^sha-?1$/i.test(algorithm)) throw new SecretError(`it uses ${algorithm}; here it is SHA1`)
    return readSecret(rest.secret)
  },

  async keep({ box, clock }, trx, secrets) {
    const now = clock.now()
    const authenticators = secrets.map(({ accountId, secret }) => {
      const id = newId(clock)
      const sealedSecret = box.seal(secret, totpSecretContext(accountId, id))
      return {
        ...{ id, accountId, sealedSecret, name: DEFAULT_NAME, lastUsedStep: NO_STEP, otherSteps: [] },
        ...{ createdAt: now, confirmedAt: now, lastUsedAt: null },
      }
    })
    if (authenticators.length > 0) await insertActiveTotpFactors(trx, authenticators)
  },

  async export({ box, db }, accountIds) {
    const rows = await activeTotpSecrets(db, accountIds)
    return new Map(
      rows.map(({ id, accountId, sealedSecret }) => [
        accountId,
        base32(box.open(sealedSecret, totpSecretContext(accountId, id))),
      ]),
    )
  },
}

function readSecret(text: string): Buffer {
  const secret = readBase32(text)
  if (!secret) throw new SecretError('it is not base32')
  if (secret.length < SHORTEST_SECRET_BYTES || secret.length > LONGEST_SECRET_BYTES)
    throw new SecretError(
      `it has ${secret.length} bytes, and not ${SHORTEST_SECRET_BYTES} to ${LONGEST_SECRET_BYTES}`,
    )
  return secret
}

/** A key URI has its own parameters. */
function readKeyUri(text: string): Parameters {
  const uri = URL.parse(text)
  if (uri?.host.toLowerCase() !== 'totp') throw new SecretError('it is a key URI, but not of TOTP')
  const { searchParams } = uri
  return {
    secret: searchParams.get('secret') ?? '',
    digits: searchParams.get('digits') ?? '6',
    period: searchParams.get('period') ?? '30',
    algorithm: searchParams.get('algorithm') ?? 'SHA1',
  }
}
