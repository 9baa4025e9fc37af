import { type CryptoKey, decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose'
import { codeIn, enrolWithAddress, type MailingService, registerWithEmail } from '../mail.ts'
import { type Enrolled, login, PASSWORD } from '../service.ts'
import { signIn } from '../sessions.ts'
import { totp } from '../totp.ts'

/** What a request can show instead of the one token that opens a route. */
export const TOKEN_KINDS = [
  'none',
  'mfa',
  'mfa not enrolled',
  'access',
  'fresh',
  'expired',
  'foreign',
  'refresh',
  'garbage',
] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** Those that no route takes: they are of nobody, of another issuer, or over. */
export const DEAD_TOKENS: readonly TokenKind[] = ['none', 'expired', 'foreign', 'refresh', 'garbage']

/** What only the running service and its people know, by the name of what it is. */
export const SECRETS = [
  'username',
  'password',
  'code',
  'pending code',
  'replacing code',
  'recovery code',
  'mailed code',
  'access token',
  'refresh token',
  'mfa token',
  'session id',
] as const
export type SecretName = (typeof SECRETS)[number]

/** Some accounts in all the states that tokens can be of, and what their owners have in their hands. */
export interface Cast {
  token(kind: TokenKind): string | undefined
  secret(name: SecretName): string
}

let casts = 0

/** Signs new people up and in, through the API. */
export async function makeCast(service: MailingService): Promise<Cast> {
  casts += 1
  const ada = await enrolWithAddress(service, `ada${casts}`)
  const expired = ada.accessToken
  service.clock.advance(700)
  const stale = await signIn(service, ada)
  service.clock.advance(301)
  const fresh = await signIn(service, ada)
  const replacing = await service.post('/2fa/setup', undefined, fresh.accessToken)
  const grace = await registerWithEmail(service, `grace${casts}`)
  const pending = await service.post('/2fa/setup', undefined, grace.mfaToken)

  const tokens: Record<TokenKind, string | undefined> = {
    none: undefined,
    mfa: await login(service, ada.username),
    'mfa not enrolled': grace.mfaToken,
    access: stale.accessToken,
    fresh: fresh.accessToken,
    expired,
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
      code: () => currentCode(service, ada),
      'pending code': () => totp(pending.body.secret, now()),
      'replacing code': () => totp(replacing.body.secret, now()),
      'recovery code': () => ada.recoveryCodes.pop(),
      'mailed code': () => lastCode(service),
      'access token': () => fresh.accessToken,
      'refresh token': () => stale.refreshToken,
      'mfa token': () => tokens.mfa,
      'session id': () => stale.sessionId,
    }
    return known[name]() ?? 'none'
  }
}

function currentCode(service: MailingService, { secret }: Enrolled): string {
  service.clock.advance(30)
  return totp(secret, service.clock.now())
}

function lastCode({ smtp }: MailingService): string | undefined {
  const mail = smtp.mails.findLast(({ text }) => /^ {4}\S+\r?$/m.test(text))
  return mail && codeIn(mail)
}

let strangersKey: Promise<{ privateKey: CryptoKey }> | undefined

/** The same token from somebody else's key. */
async function forged(token: string): Promise<string> {
  strangersKey ??= generateKeyPair('ES256')
  const { privateKey } = await strangersKey
  const { alg = 'ES256', ...header } = decodeProtectedHeader(token)
  return new SignJWT(decodeJwt(token)).setProtectedHeader({ ...header, alg }).sign(privateKey)
}
