import {
  type Answer,
  type Enrolled,
  login,
  nextCode,
  type Reachable,
  type Service,
} from '../service/service.ts'

/** Tokens of one login. */
export interface SignedIn {
  accessToken: string
  /** Good for one change of the account. */
  accountToken: string
  refreshToken: string
  /** The `sid` claim. */
  sessionId: string
}

/** The service, as it is reached from an address. */
export function at({ get, post, clock }: Reachable, remoteAddress: string): Reachable {
  return {
    clock,
    get: (path, token, options) => get(path, token, { remoteAddress, ...options }),
    post: (path, body, token, options) => post(path, body, token, { remoteAddress, ...options }),
  }
}

/** Signs an enrolled account in once more, with its password and the next code. */
export async function signIn(
  service: Service,
  account: Pick<Enrolled, 'username' | 'secret'>,
  userAgent = 'test',
): Promise<SignedIn> {
  const mfaToken = await login(service, account.username)
  const code = nextCode(service, account)
  const answer = await service.post('/2fa/verify', { code }, mfaToken, {
    headers: { 'user-agent': userAgent },
  })
  return signedInBy(answer)
}

/**
 * An account token for the session of an access token, as if the password and the factor had been shown in it just now.
 * How one is come by is for the tests of the account token.
 */
export async function accountTokenFor({ deps }: Service, accessToken: string): Promise<string> {
  const { sub, sid } = claimsOf(accessToken)
  const account = await deps.accounts.byId(sub)
  const session = await deps.sessions.find(deps.db, sid)
  if (!account || !session) throw new Error('the session of this access token has ended')
  return deps.accountTokens.issue({ account, session })
}

/** The tokens in an answer that hands out both. */
export function signedInBy({ status, body }: Answer): SignedIn {
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`)
  return {
    accessToken: body.access_token,
    accountToken: body.account_token,
    refreshToken: body.refresh_token,
    sessionId: claimsOf(body.access_token).sid,
  }
}

export function refresh(service: Pick<Service, 'post'>, refreshToken: string): Promise<Answer> {
  return service.post('/token/refresh', { refresh_token: refreshToken })
}

/** The claims of a JWT, unverified. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks into any claim
export function claimsOf(jwt: string): Record<string, any> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}

/** The header of a JWT, unverified. */
export function headerOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString())
}

/** Whether the service's own routes still take an access token. */
export async function isAlive(service: Pick<Service, 'get'>, accessToken: string): Promise<boolean> {
  return (await service.get('/me', accessToken)).status === 200
}

/** As the operator does it: the row is gone, and with it all that belongs to it. */
export async function deleteAccount({ db }: Service, id: string): Promise<void> {
  await db.deleteFrom('accounts').where('id', '=', id).execute()
}

export async function disableAccount({ db, clock }: Service, id: string, disabled = true): Promise<void> {
  await db
    .updateTable('accounts')
    .set({ disabled_at: disabled ? clock.now() : null })
    .where('id', '=', id)
    .execute()
}
