import { randomBytes } from 'node:crypto'
import { CompactSign, type CryptoKey, decodeJwt, decodeProtectedHeader, importPKCS8 } from 'jose'
import type { Test } from 'tap'
import { makeKeyRing } from '../../../src/crypto/key-ring.ts'
import type { TokenFault } from '../../../src/errors.ts'
import { texts } from '../../../src/texts/texts.ts'
import { withoutRequestId } from '../requests/burst.ts'
import {
  type Answer,
  type Enrolled,
  enrol,
  register,
  type Service,
  startService,
} from '../service/service.ts'

export type Members = Record<string, unknown>

/** What to change in a genuine token; a member that is `undefined` is left out. */
export interface Change {
  header?: Members
  claims?: Members
  /** Instead of JSON of the claims. */
  payload?: string
  /** Instead of the service's own key. */
  key?: CryptoKey | Uint8Array
}

export type Forge = (change?: Change) => Promise<string>

/** A service with genuine tokens, and the means to sign changed ones under the service's own keys. */
export interface Mint {
  service: Service
  /** Enrolled; owns the access token and the account token. */
  ada: Enrolled
  /** Of an account that is not enrolled yet: good for /2fa/setup as well. */
  mfaToken: string
  access: Forge
  account: Forge
  mfa: Forge
}

/** Every kind of route that eats a token. */
export const TOKEN_ROUTES = ['/me', '/2fa/setup', '/2fa/verify'] as const

export async function openMint(t: Test): Promise<Mint> {
  const rootKeys = [randomBytes(32)]
  const service = await startService(t, { rootKeys })
  const ada = await enrol(service)
  const { mfaToken } = await register(service, 'grace')
  const { alg, privateKeyPem } = service.deps.signingKeys.current()
  const keyFor = (purpose: string) =>
    Buffer.from(makeKeyRing(rootKeys).primary.derive(purpose).toString('base64url'))
  return {
    service,
    ada,
    mfaToken,
    access: forgeFrom(ada.accessToken, await importPKCS8(privateKeyPem, alg)),
    account: forgeFrom(ada.accountToken, keyFor('account token')),
    mfa: forgeFrom(mfaToken, keyFor('mfa token')),
  }
}

export function forgeFrom(token: string, ownKey: CryptoKey | Uint8Array): Forge {
  return ({ header, claims, payload, key = ownKey } = {}) => {
    const protectedHeader = { ...decodeProtectedHeader(token), ...header } as Members & { alg: string }
    const crit = Object.fromEntries([protectedHeader.crit ?? []].flat().map((name) => [name, true]))
    return new CompactSign(Buffer.from(payload ?? JSON.stringify({ ...decodeJwt(token), ...claims })))
      .setProtectedHeader(protectedHeader)
      .sign(key, { crit })
  }
}

/** The header and claims of a token, its header changed, with a signature that was made by nobody's key. */
export function unsigned(token: string, header: Members, signature: string): string {
  const [, payload] = token.split('.')
  const changed = { ...decodeProtectedHeader(token), ...header }
  return `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${payload}.${signature}`
}

export function present(service: Service, route: string, authorization: string): Promise<Answer> {
  const headers = { authorization }
  if (route === '/2fa/verify') return service.post(route, { code: '000000' }, undefined, { headers })
  return route === '/me'
    ? service.get(route, undefined, { headers })
    : service.post(route, undefined, undefined, { headers })
}

const REFUSAL = {
  title: 'The token is missing or not valid here',
  status: 401,
  code: 'invalid_token',
}

/**
 * Asserts that a token opens nothing, and that the answer does not tell what is wrong with it.
 *
 * @param reasons that may be told: of what this service has signed, that it has expired or ended.
 */
export async function refused(
  t: Test,
  service: Service,
  name: string,
  token: string,
  routes: readonly string[] = TOKEN_ROUTES,
  reasons: readonly (TokenFault | undefined)[] = [undefined, 'wrong_kind'],
): Promise<void> {
  for (const route of routes) {
    const answer = await present(service, route, `Bearer ${token}`)
    t.equal(answer.status, 401, `${route} refuses ${name}`)
    const { type, reason, ...said } = withoutRequestId(answer)
    t.match(type, /\/problems#invalid_token$/)
    const why = reason as TokenFault | undefined
    t.ok(reasons.includes(why), `${name}: ${why}`)
    t.strictSame(
      said,
      { ...REFUSAL, detail: texts.tokenFaults[why ?? 'wrong_kind'] },
      `${route} says no more of ${name} than of any other`,
    )
    t.match(answer.headers['www-authenticate'], /^Bearer\b/)
  }
}
