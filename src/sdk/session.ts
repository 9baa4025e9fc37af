import { type SecurityScheme, security } from './api.ts'
import { claimOf } from './claims.ts'
import type { KeptState } from './client-state.ts'
import { keptAfter, type TokenBody } from './kept-after.ts'
import { oneAtATime, oneAtATimeHere } from './one-at-a-time.ts'
import { type Operation, operationOf } from './operation.ts'
import { isInvalidToken, problemIn, unreachable } from './problem.ts'
import { type Kept, NOTHING, type Tokens } from './token-store.ts'
import { withTimeout } from './with-timeout.ts'

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
  'POST /register',
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

/** Why a sign-out by a refresh token is refused for good. */
const FINAL: readonly string[] = ['invalid_refresh_token', 'validation_failed']

interface SessionOptions {
  url: string
  state: KeptState
  send: Send
  /** What other tabs call what they share with this client. */
  shared?: string | undefined
}

/** What was known when a request was sent. */
interface Asked {
  kept: Kept
  signOuts: number
}

export function makeSession({ url, state, send, shared }: SessionOptions): ClientSession {
  const alone = shared === undefined ? oneAtATimeHere() : oneAtATime(`keyturn refresh ${shared} ${url}`)
  const base = pathOf(url)
  /** Good for one change of the account. It lives for minutes, and is never stored. */
  let accountToken: { token: string; expiresAt: number; refreshToken: string } | null = null
  /** Whether sessions may be left to end: from the last time, or after a sign-out that did not reach the service. */
  let someToEnd = true
  let signOuts = 0
  let renewing: { refused: string; result: Promise<string | Response | null> } | null = null

  async function learn(operation: Operation | undefined, response: Response, asked: Asked): Promise<void> {
    if (!response.ok) return
    const isNew = SIGNS_IN.includes(operation)
    /** Whether the person has signed out since, or the answer is about another session than the one that is here now. */
    const isLate = ({ tokens }: Kept) =>
      asked.signOuts !== signOuts || (!isNew && tokens !== null && sidOf(tokens) !== sidOf(asked.kept.tokens))
    if (SIGNS_OUT.includes(operation)) {
      const signedOut = (kept: Kept) => (isLate(kept) ? kept : { ...NOTHING, ending: kept.ending ?? null })
      await state.update(signedOut, 'logout')
    } else if (/^application\/json\b/.test(response.headers.get('content-type') ?? '')) {
      const body = (await response.clone().json()) as TokenBody
      let late = false
      const { tokens } = await state.update((kept) => {
        late = isLate(kept)
        return late ? kept : keptAfter(kept, body, { isNew, besides: asked.kept.tokens !== null })
      })
      if (late) {
        if (body.refresh_token) void leave(body.refresh_token).catch(() => {})
      } else if (body.account_token && tokens)
        accountToken = {
          token: body.account_token,
          expiresAt: Date.now() + (body.account_expires_in ?? 0) * 1000,
          refreshToken: tokens.refreshToken,
        }
    }
  }

  async function refresh({
    accessToken,
    refreshToken,
    refreshKey,
  }: Tokens): Promise<string | Response | null> {
    const response = await withTimeout(REFRESH_TIMEOUT_MS, async (signal) => {
      // Read within the time, also by a `fetch` that does not look at the signal: others wait for their turn.
      const timeout = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
      const request = new Request(`${url}/token/refresh`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(refreshKey && { 'idempotency-key': refreshKey }),
        },
        body: JSON.stringify({ refresh_token: refreshToken }),
        signal,
      })
      const answer = await Promise.race([send(request), timeout])
      const text = await Promise.race([answer.text(), timeout])
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
    return ofTheSame(accessToken, tokens)
  }

  /** Another tab may have renewed it meanwhile, or have signed another person in, whose token is not for this call. */
  async function renewNow(refused: string): Promise<string | Response | null> {
    const { tokens } = await state.read()
    if (tokens?.accessToken === refused) return refresh(tokens)
    return ofTheSame(refused, tokens)
  }

  /** All calls that wait for the same one get what it got, also where that is a refusal. */
  async function renew(refused: string): Promise<string | Response | null> {
    if (!renewing || renewing.refused !== refused) {
      const result = alone(() => renewNow(refused))
      const mine = { refused, result }
      renewing = mine
      const done = () => {
        if (renewing === mine) renewing = null
      }
      result.then(done, done)
    }
    const renewed = await renewing.result
    return renewed instanceof Response ? renewed.clone() : renewed
  }

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
  async function signOut(): Promise<Response> {
    accountToken = null
    signOuts += 1
    let left: string | undefined
    await state.update(({ tokens, ending }) => {
      left = tokens?.refreshToken
      return { ...NOTHING, ending: left ? [...(ending ?? []), left] : (ending ?? null) }
    }, 'logout')
    return left ? end(left) : new Response(null, { status: 204 })
  }

  /** Ends a session that is not wanted here any more. */
  async function leave(refreshToken: string): Promise<void> {
    await state.update((kept) => ({ ...kept, ending: [...(kept.ending ?? []), refreshToken] }))
    await end(refreshToken)
  }

  /** By the refresh token, also a used one: nothing of the session stays alive, whether or not the access token has run out. */
  async function end(refreshToken: string): Promise<Response> {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ refresh_token: refreshToken })
    const response = await send(new Request(`${url}/logout`, { method: 'POST', headers, body }))
    // What a proxy says is no answer.
    const isOver = response.status === 204 || FINAL.includes((await problemIn(response.clone())).code)
    if (!isOver) someToEnd = true
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

  async function sendAs(operation: Operation | undefined, request: Request, kept: Kept): Promise<Response> {
    if (!operation || request.headers.has('authorization')) return send(request)
    const schemes = security[operation]
    if (schemes.length === 0) return send(request)
    for (const scheme of schemes) {
      // Another tab has signed in since: the step that was left here may be that of another person.
      if (scheme === 'mfaToken' && kept.tokens && !kept.mfaStep?.besides) continue
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
        return signOut()
      // The count first: the store may answer late.
      const asked = { signOuts, kept: await state.read() }
      const response = await sendAs(operation, request, asked.kept)
      await learn(operation, response, asked)
      if (someToEnd && response.ok) void endTheRest().catch(() => {})
      return response
    },

    async freshAccessToken() {
      const { tokens } = await state.read()
      return tokens && fresh(tokens)
    },
  }
}

/** The access token that is there now, if it is of the person of another one. */
const ofTheSame = (accessToken: string, now: Tokens | null) =>
  now && claimOf(now.accessToken, 'sub') === claimOf(accessToken, 'sub') ? now.accessToken : null

const sidOf = (tokens: Tokens | null) => claimOf(tokens?.accessToken, 'sid')

/** The path of an absolute URL, without a slash at its end. Not by `URL`, whose `pathname` React Native lacks. */
function pathOf(url: string): string {
  const [, path = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/i.exec(url) ?? []
  return path.replace(/\/$/, '')
}

function withToken(request: Request, token: string): Request {
  request.headers.set('authorization', `Bearer ${token}`)
  return request
}
