import { oneAtATime } from './one-at-a-time.ts'
import { problemIn } from './problem.ts'
import type { TokenStore, Tokens } from './token-store.ts'

/** Why there is no session any more: this client ended it, the service did, or another tab. */
export type SignedOutReason = 'logout' | 'ended' | 'elsewhere'

/** What answers say about tokens, as far as they do. */
interface TokenBody {
  access_token?: string
  expires_in?: number
  refresh_token?: string
  mfa_token?: string
}

type Send = (request: Request) => Promise<Response>

/** The tokens of one person, from the answers that bring them to the requests that need them. */
export interface Session {
  /** Sends a request with the token that its path asks for; renews an access token that is refused, and sends again, once. */
  send: Send
  /** The access token, renewed if it is about to expire; the answer that refused to, or `null` for no session. */
  freshAccessToken(): Promise<string | Response | null>
  signedIn(): boolean
  onSignedOut(listener: (reason: SignedOutReason) => void): () => void
}

/** Asked for with no token, or with the mfa token of the password that was just right. The rest wants an access token. */
const PUBLIC = /^\/(register|login|token\/refresh|password\/(forgot|reset)|livez|readyz|\.well-known\/.*)?$/
const FOR_MFA_TOKEN = /^\/2fa\/(verify|email)$/
const FOR_EITHER = '/2fa/setup'

/** Earlier than the service says, so that a token does not expire on its way. */
const EXPIRY_MARGIN_MS = 10_000

const REFRESH_TIMEOUT_MS = 15_000

export function makeSession({ url, store, send }: { url: string; store: TokenStore; send: Send }): Session {
  const listeners = new Set<(reason: SignedOutReason) => void>()
  const alone = oneAtATime(`keyturn refresh ${url}`)
  const base = new URL(url).pathname.replace(/\/$/, '')
  let mfaToken: string | null = null

  function signOut(reason: SignedOutReason): void {
    mfaToken = null
    const hadSession = store.read() !== null
    store.write(null)
    if (hadSession) for (const listener of listeners) listener(reason)
  }

  store.onChange?.((tokens) => {
    if (!tokens) for (const listener of listeners) listener('elsewhere')
  })

  /** What the token endpoints answer; a step-up brings no new refresh token. */
  function keep(body: TokenBody): void {
    if (body.mfa_token) mfaToken = body.mfa_token
    const refreshToken = body.refresh_token ?? store.read()?.refreshToken
    if (!body.access_token || !refreshToken) return
    mfaToken = null
    const accessExpiresAt = Date.now() + (body.expires_in ?? 0) * 1000
    store.write({ accessToken: body.access_token, accessExpiresAt, refreshToken })
  }

  async function learn(path: string, method: string, response: Response): Promise<void> {
    if (!response.ok) return
    const ended = path === '/logout' || (path === '/me' && method === 'DELETE')
    if (ended) signOut('logout')
    else if (/^application\/json\b/.test(response.headers.get('content-type') ?? ''))
      keep((await response.clone().json()) as TokenBody)
  }

  async function refresh({ refreshToken }: Tokens): Promise<string | Response | null> {
    const response = await send(
      new Request(`${url}/token/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: refreshToken }),
        signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
      }),
    )
    const body = response.ok ? ((await response.json()) as TokenBody) : null
    // Anything else may pass: a service that is away for a moment signs nobody out.
    if (!body && (await problemIn(response.clone())).code !== 'invalid_refresh_token') return response
    const current = store.read()
    // Who has signed in or out, or got new tokens meanwhile, is not who was asked about.
    if (current?.refreshToken !== refreshToken) return current?.accessToken ?? null
    if (body) keep(body)
    else signOut('ended')
    return store.read()?.accessToken ?? null
  }

  /** Whoever waits for its turn finds what the one before it got, also when that one was another tab. */
  const renew = (refused: string) =>
    alone(async () => {
      const tokens = store.read()
      return tokens?.accessToken === refused ? refresh(tokens) : (tokens?.accessToken ?? null)
    })

  async function sendSignedIn(request: Request, accessToken: string): Promise<Response> {
    const again = request.clone()
    const response = await send(withToken(request, accessToken))
    if (response.status !== 401 || (await problemIn(response.clone())).code !== 'invalid_token')
      return response
    const renewed = await renew(accessToken)
    if (renewed instanceof Response) return renewed
    return renewed === null ? response : send(withToken(again, renewed))
  }

  return {
    async send(request) {
      const path = new URL(request.url).pathname.slice(base.length)
      const { method } = request
      const response = await sendAs(path, request)
      await learn(path, method, response)
      return response
    },

    async freshAccessToken() {
      const tokens = store.read()
      if (!tokens) return null
      return tokens.accessExpiresAt - EXPIRY_MARGIN_MS > Date.now()
        ? tokens.accessToken
        : renew(tokens.accessToken)
    },

    signedIn: () => store.read() !== null,

    onSignedOut(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }

  function sendAs(path: string, request: Request): Promise<Response> {
    if (request.headers.has('authorization') || PUBLIC.test(path)) return send(request)
    if (mfaToken && (FOR_MFA_TOKEN.test(path) || path === FOR_EITHER))
      return send(withToken(request, mfaToken))
    const tokens = FOR_MFA_TOKEN.test(path) ? null : store.read()
    return tokens ? sendSignedIn(request, tokens.accessToken) : send(request)
  }
}

function withToken(request: Request, token: string): Request {
  request.headers.set('authorization', `Bearer ${token}`)
  return request
}
