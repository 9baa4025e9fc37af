import { type CryptoKey, decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose'
import { newClient, serviceToken } from '../../people/clients.ts'
import { inPlaceOfTheOld } from '../../people/factors.ts'
import { enrolWithCodes, latestCodeIfAny, type MailingService } from '../../people/mail.ts'
import { Person } from '../../people/person.ts'
import { accountTokenFor, signIn } from '../../people/sessions.ts'
import { totp } from '../../people/totp.ts'
import { login, nextCode, PASSWORD } from '../../service/service.ts'

/** What a request can show instead of the one token that opens a route. */
export const TOKEN_KINDS = [
  'none',
  'mfa',
  'mfa not enrolled',
  'access',
  'account',
  'account not enrolled',
  'service',
  'expired',
  'spent',
  'foreign',
  'refresh',
  'garbage',
] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** Tokens that no route takes: of an account that does not exist, of another issuer, or expired. */
export const DEAD_TOKENS: readonly TokenKind[] = ['none', 'expired', 'spent', 'foreign', 'refresh', 'garbage']

/** What only the running service and its people know, by the name of what it is. */
const SECRETS = [
  'username',
  'password',
  'new password',
  'code',
  'pending code',
  'replacing code',
  'recovery code',
  'mailed code',
  'access token',
  'account token',
  'refresh token',
  'mfa token',
  'session id',
  'factor id',
  'client id',
  'client secret',
  'service token',
  'grant',
] as const
export type SecretName = (typeof SECRETS)[number]

/** Some accounts in all the states that tokens can be of, and what their owners have in their hands. */
export interface Cast {
  token(kind: TokenKind): string | undefined
  secret(name: SecretName): string
}

/** By turns. */
const GRANTS = ['refresh_token', 'client_credentials']
let grants = 0

let casts = 0

/** Signs new people up and in, through the API. */
export async function makeCast(service: MailingService): Promise<Cast> {
  casts += 1
  const ada = await enrolWithCodes(service, `ada${casts}`)
  const expired = ada.accessToken
  service.clock.advance(700)
  const stale = await signIn(service, ada)
  service.clock.advance(301)
  const fresh = await signIn(service, ada)
  const renewed = await service.post('/2fa/recovery-codes', undefined, fresh.accountToken)
  const recoveryCodes: string[] = renewed.body.recovery_codes
  const account = await accountTokenFor(service, fresh.accessToken)
  const inPlace = await inPlaceOfTheOld(service, fresh.accessToken)
  const factorId = inPlace.replaces
  const replacing = await service.post('/2fa/setup', inPlace, account)
  const grace = new Person(service, { username: `grace${casts}`, email: `grace${casts}@example.com` })
  await grace.register()
  const client = await newClient(service)
  await grace.setUp()

  const tokens: Record<TokenKind, string | undefined> = {
    none: undefined,
    mfa: await login(service, ada.username),
    // Where no second factor is asked for, a newcomer has the one of these, and otherwise the other.
    'mfa not enrolled': grace.mfaToken || undefined,
    'account not enrolled': grace.accountToken || undefined,
    service: await serviceToken(service, client),
    access: stale.accessToken,
    account,
    expired,
    spent: fresh.accountToken,
    foreign: await forged(fresh.accessToken),
    refresh: fresh.refreshToken,
    garbage: `${fresh.accessToken.slice(0, -8)}AAAAAAAA`,
  }
  return { token: (kind) => tokens[kind], secret }

  function secret(name: SecretName): string {
    const { now } = service.clock
    const known: Record<SecretName, () => string | undefined> = {
      username: () => ada.username,
      password: () => PASSWORD,
      'new password': () => 'staple in a haystack',
      code: () => nextCode(service, ada),
      'pending code': () => grace.code(),
      'replacing code': () => totp(replacing.body.secret, now()),
      'recovery code': () => recoveryCodes.pop(),
      'mailed code': () => latestCodeIfAny(service.smtp),
      'access token': () => fresh.accessToken,
      'account token': () => account,
      'refresh token': () => stale.refreshToken,
      'mfa token': () => tokens.mfa,
      'session id': () => stale.sessionId,
      'factor id': () => factorId,
      'client id': () => client.id,
      'client secret': () => client.secret,
      'service token': () => tokens.service,
      grant: () => GRANTS[grants++ % GRANTS.length],
    }
    return known[name]() ?? 'none'
  }
}

let strangersKey: Promise<{ privateKey: CryptoKey }> | undefined

/** The same token from somebody else's key. */
async function forged(token: string): Promise<string> {
  strangersKey ??= generateKeyPair('ES256')
  const { privateKey } = await strangersKey
  const { alg = 'ES256', ...header } = decodeProtectedHeader(token)
  return new SignJWT(decodeJwt(token)).setProtectedHeader({ ...header, alg }).sign(privateKey)
}
