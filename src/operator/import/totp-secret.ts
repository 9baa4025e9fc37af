import { readBase32 } from '../../two-factor/key-uri.ts'
import { LONGEST_SECRET_BYTES, SHORTEST_SECRET_BYTES } from '../../two-factor/totp.ts'
import { ValueError } from './values.ts'

export interface TotpParameters {
  digits: string
  period: string
  algorithm: string
}

/**
 * The secret of an authenticator that is set up already.
 *
 * @param text base32 as people write it, or the key URI that its QR code had.
 * @param parameters those of the file; a key URI brings its own.
 */
export function readTotpSecret(text: string, parameters: TotpParameters): Buffer {
  const uri = /^otpauth:/i.test(text) ? readKeyUri(text) : { secret: text, ...parameters }
  if (uri.digits !== '6') throw new ValueError(`its codes have ${uri.digits} digits; here they have 6`)
  if (uri.period !== '30') throw new ValueError(`its codes last ${uri.period} seconds; here they last 30`)
  if (!/^sha-?1$/i.test(uri.algorithm)) throw new ValueError(`it uses ${uri.algorithm}; here it is SHA1`)

  const secret = readBase32(uri.secret)
  if (!secret) throw new ValueError('it is not base32')
  if (secret.length < SHORTEST_SECRET_BYTES || secret.length > LONGEST_SECRET_BYTES)
    throw new ValueError(
      `it has ${secret.length} bytes, and not ${SHORTEST_SECRET_BYTES} to ${LONGEST_SECRET_BYTES}`,
    )
  return secret
}

function readKeyUri(text: string): TotpParameters & { secret: string } {
  const uri = URL.parse(text)
  if (uri?.host.toLowerCase() !== 'totp') throw new ValueError('it is a key URI, but not of TOTP')
  const { searchParams } = uri
  return {
    secret: searchParams.get('secret') ?? '',
    digits: searchParams.get('digits') ?? '6',
    period: searchParams.get('period') ?? '30',
    algorithm: searchParams.get('algorithm') ?? 'SHA1',
  }
}
