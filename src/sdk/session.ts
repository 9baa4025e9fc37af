import { type SecurityScheme, security } from './api.ts'
import type { KeptState } from './client-state.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type Operation, operationOf } from './operation.ts'
import { problemIn, unreachable } from './problem.ts'
import { type Kept, NOTHING, type Tokens } from './token-store.ts'

/** What answers say about tokens, as far as they do. */
interface TokenBody {
  access_token?: string
  expires_in?: number
  refresh_token?: string
  mfa_token?: string
  account_token?: string
  account_expires_in?: number
  enrolled?: boolean
  methods?: string[]
  /** New ones; `GET /2fa` says under this name how many are left. */
  recovery_codes?: string[] | object
}

type Send = (request: Request) => Promise<Response>

/** The tokens of one person, from the answers that bring them to the requests that need them. */
export interface ClientSession {
  /** Sends a request with the token that its operation takes; renews an access token that is refused, and sends again, once. */
  send: Send
  /** The access token, renewed if it is about to expire; the answer that refused to, or `null` for no session. */
  freshAccessToken(): Promise<string | Response | null>
}

/** After these there is no session any more. */
const SIGNS_OUT: readonly (Operation | undefined)[] = ['POST /logout', 'DELETE /me']

/** What is kept of a session before these is not of the one that they begin. */
const SIGNS_IN: readonly (Operation | undefined)[] = [
  'POST /login',
  'POST /login/passkey',
  'POST /2fa/verify',
]

/** These leave the account token for another change. */
const PREPARES: readonly (Operation | undefined)[] = [
  'POST /2fa/setup',
  'POST /2fa/passkeys/options',
  'PATCH /2fa/factors/{id}',
]

/** Earlier than the service says, so that a token does not expire on its way. */
const EXPIRY_MARGIN_MS = 10_000

const REFRESH_TIMEOUT_MS = 15_000

interface SessionOptions {
  url: string
  state: KeptState
  send: Send
}

export function makeSession({ url, state, send }: SessionOptions): ClientSession {
  const alone = oneAtATime(`keyturn refresh ${url}`)
  const base = pathOf(url)
  /** Good for one change of the account. It lives for minutes, and is never stored. */
  let accountToken: { token: string; expiresAt: number; refreshToken: string } | null = null
  /** Whether sessions may be left to end: from the last time, or after a sign-out that did not reach the service. */
  let someToEnd = true

  async function learn(operation: Operation | undefined, response: Response): Promise<void> {
    if (!response.ok) return
    if (SIGNS_OUT.includes(operation)) {
      accountToken = null
      await state.update(({ ending }) => ({ ...NOTHING, ending: ending ?? null }), 'logout')
    } else if (/^application\/json\b/.test(response.headers.get('content-type') ?? '')) {
      const body = (await response.clone().json()) as TokenBody
      const { tokens } = await state.update((kept) => keptAfter(kept, body, SIGNS_IN.includes(operation)))
      if (body.account_token && tokens)
        accountToken = {
          token: body.account_token,
          expiresAt: Date.now() + (body.account_expires_in ?? 0) * 1000,
          refreshToken: tokens.refreshToken,
        }
    }
  }

  async function refresh({ refreshToken, refreshKey }: Tokens): Promise<string | Response | null> {
    const response = await withTimeout(async (signal) => {
      const answer = await send(
        new Request(`${url}/token/refresh`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(refreshKey && { 'idempotency-key': refreshKey }),
          },
          body: JSON.stringify({ refresh_token: refreshToken }),
          signal,
        }),
      )
      // Read within the time: others wait for their turn.
      const late = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
      const text = await Promise.race([answer.text(), late])
      return new Response(text, { status: answer.status, headers: answer.headers })
    }).catch(unreachable)
    const body = response.ok ? ((await response.json()) as TokenBody) : null
    // Anything else may pass: a service that is away for a moment does not sign the user out.
    if (!body && (await problemIn(response.clone())).code !== 'invalid_refresh_token') return response
    const { tokens } = await state.update((kept) => {
      // A sign-in or a sign-out while the request was under way: the answer is not about these tokens.
      if (kept.tokens?.refreshToken !== refreshToken) return kept
      return body ? keptAfter(kept, body) : { ...kept, tokens: null }
    })
    return tokens?.accessToken ?? null
  }

  /** A call that waits for its turn finds what the one before it got, also when that one was another tab. */
  const renew = (refused: string) =>
    alone(async () => {
      const { tokens } = await state.read()
      return tokens?.accessToken === refused ? refresh(tokens) : (tokens?.accessToken ?? null)
    })

  /** The access token, or the next one where it is about to expire. */
  const fresh = async ({ accessToken, accessExpiresAt }: Tokens) =>
    accessExpiresAt - EXPIRY_MARGIN_MS > Date.now() ? accessToken : renew(accessToken)

  async function sendSignedIn(request: Request, tokens: Tokens): Promise<Response> {
    const accessToken = await fresh(tokens)
    if (accessToken instanceof Response) return accessToken
    if (accessToken === null) return send(request)
    const again = request.clone()
    const response = await send(withToken(request, accessToken))
    if (!(await isInvalidToken(response))) return response
    const renewed = await renew(accessToken)
    if (renewed instanceof Response) return renewed
    return renewed === null ? response : send(withToken(again, renewed))
  }

  /** A token that is refused, or has no attempt left, is of no more use: the person begins with the password again. */
  async function sendInMfaStep(request: Request, mfaToken: string): Promise<Response> {
    const response = await send(withToken(request, mfaToken))
    if (await isInvalidToken(response, { orSpent: true }))
      await state.update((kept) => (kept.mfaStep?.mfaToken === mfaToken ? { ...kept, mfaStep: null } : kept))
    return response
  }

  /**
   * With the access token where there is no account token: the service then says what is needed, which is a step-up
   * (`insufficient_user_authentication`, `needs: 'account_token'`).
   */
  async function sendChange(operation: Operation, request: Request, tokens: Tokens): Promise<Response> {
    // Another tab may have signed another person in meanwhile.
    if (accountToken?.refreshToken === tokens.refreshToken && accountToken.expiresAt > Date.now()) {
      const { token } = accountToken
      const again = request.clone()
      const response = await send(withToken(request, token))
      const isOver = await isInvalidToken(response)
      if ((isOver || (response.ok && !PREPARES.includes(operation))) && accountToken?.token === token)
        accountToken = null
      return isOver ? sendSignedIn(again, tokens) : response
    }
    return sendSignedIn(request, tokens)
  }

  /** Sends a request with the token of a scheme; `null` while there is no such token. */
  const sendWith: Record<
    SecurityScheme,
    (operation: Operation, request: Request, kept: Kept) => Promise<Response> | null
  > = {
    mfaToken: (_operation, request, { mfaStep }) =>
      mfaStep && mfaStep.expiresAt > Date.now() ? sendInMfaStep(request, mfaStep.mfaToken) : null,
    accessToken: (_operation, request, { tokens }) => tokens && sendSignedIn(request, tokens),
    accountToken: (operation, request, { tokens }) => tokens && sendChange(operation, request, tokens),
  }

  /** Here it is done at once; there, where the service cannot be reached now, as soon as it answers again. */
  async function signOut({ tokens, ending }: Kept): Promise<Response> {
    accountToken = null
    const left = tokens ? [...(ending ?? []), tokens.refreshToken] : ending
    await state.update(() => ({ ...NOTHING, ending: left ?? null }), 'logout')
    return tokens ? end(tokens.refreshToken) : new Response(null, { status: 204 })
  }

  /** By the refresh token, also a used one: nothing of the session stays alive, whether or not the access token has run out. */
  async function end(refreshToken: string): Promise<Response> {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ refresh_token: refreshToken })
    const response = await send(new Request(`${url}/logout`, { method: 'POST', headers, body }))
    if (!response.ok && response.status !== 401) someToEnd = true
    else
      await state.update(({ ending, ...kept }) => {
        const left = ending?.filter((one) => one !== refreshToken) ?? []
        return { ...kept, ending: left.length > 0 ? left : null }
      })
    return response
  }

  async function endTheRest(): Promise<void> {
    someToEnd = false
    for (const refreshToken of (await state.read()).ending ?? []) await end(refreshToken)
  }

  async function sendAs(operation: Operation | undefined, request: Request): Promise<Response> {
    if (!operation || request.headers.has('authorization')) return send(request)
    const schemes = security[operation]
    if (schemes.length === 0) return send(request)
    const kept = await state.read()
    for (const scheme of schemes) {
      // Another tab has signed in since: the step that was left here may be that of another person.
      const isStale = scheme === 'mfaToken' && kept.tokens && !kept.mfaStep?.besides
      if (isStale && schemes.length > 1) continue
      const sent = sendWith[scheme](operation, request, kept)
      if (sent) return sent
    }
    return send(request)
  }

  return {
    async send(request) {
      const operation = operationOf(request.method, pathOf(request.url).slice(base.length))
      const { headers } = request
      if (operation === 'POST /logout' && !headers.has('content-type') && !headers.has('authorization'))
        return signOut(await state.read())
      const response = await sendAs(operation, request)
      await learn(operation, response)
      if (someToEnd && response.ok) void endTheRest().catch(() => {})
      return response
    },

    async freshAccessToken() {
      const { tokens } = await state.read()
      return tokens && fresh(tokens)
    },
  }
}

/** What is kept once an answer has come; a step-up brings no new refresh token. */
function keptAfter(kept: Kept, body: TokenBody, isNew = false): Kept {
  const expiresAt = Date.now() + (body.expires_in ?? 0) * 1000
  const { access_token: accessToken, mfa_token: mfaToken, enrolled = false, methods = [] } = body
  const refreshToken = body.refresh_token ?? kept.tokens?.refreshToken
  const newCodes = Array.isArray(body.recovery_codes) ? (body.recovery_codes as string[]) : undefined
  const recoveryCodes = newCodes ?? (isNew ? undefined : kept.tokens?.recoveryCodes)
  if (accessToken && refreshToken)
    return {
      ...kept,
      tokens: {
        ...{ accessToken, accessExpiresAt: expiresAt, refreshToken, recoveryCodes },
        ...refreshKeyOf(kept, body),
      },
      mfaStep: null,
    }
  if (kept.tokens && newCodes) return { ...kept, tokens: { ...kept.tokens, recoveryCodes } }
  if (!mfaToken) return kept
  const besides = kept.tokens && ({ besides: true } as const)
  return { ...kept, mfaStep: { mfaToken, expiresAt, enrolled, methods, ...besides } }
}

/** Without it, where a runtime such as React Native makes no UUIDs, a repeat must come from the same network. */
function refreshKeyOf({ tokens }: Kept, body: TokenBody): Pick<Tokens, 'refreshKey'> {
  const refreshKey = body.refresh_token ? globalThis.crypto?.randomUUID?.() : tokens?.refreshKey
  return refreshKey === undefined ? {} : { refreshKey }
}

/** React Native has no `AbortSignal.timeout`. */
async function withTimeout<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), REFRESH_TIMEOUT_MS)
  try {
    return await work(late.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** The path of an absolute URL, without a slash at its end. Not by `URL`, whose `pathname` React Native lacks. */
function pathOf(url: string): string {
  const [, path = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/i.exec(url) ?? []
  return path.replace(/\/$/, '')
}

async function isInvalidToken(response: Response, { orSpent = false } = {}): Promise<boolean> {
  if (response.ok) return false
  const { code, attempts_left } = await problemIn(response.clone())
  return code === 'invalid_token' || (orSpent && attempts_left === 0)
}

function withToken(request: Request, token: string): Request {
  request.headers.set('authorization', `Bearer ${token}`)
  return request
}
