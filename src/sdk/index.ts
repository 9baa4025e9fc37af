import createFetchClient from 'openapi-fetch'
import type { paths } from './api.ts'
import { type ClientState, keepState, type SignedOutReason, stateOf } from './client-state.ts'
import { asResponse, KeyturnError, PROBLEM_MEDIA_TYPE, problemIn, unreachable } from './problem.ts'
import type { Json, Routes } from './routes.ts'
import { makeSession } from './session.ts'
import { memoryStore, type TokenStore } from './token-store.ts'

export type { components, operations, paths } from './api.ts'
export type { ClientState, SignedOutReason } from './client-state.ts'
export {
  listFactors,
  PasskeysUnsupportedError,
  passkeySupport,
  registerPasskey,
  removeFactor,
  renameFactor,
  signInWithPasskey,
  stepUpWithPasskey,
  verifyWithPasskey,
} from './passkeys.ts'
export { KeyturnError, type Problem, type ProblemCode, unwrap } from './problem.ts'
export {
  type AsyncTexts,
  asyncStore,
  type Kept,
  type MfaStep,
  memoryStore,
  type TokenStore,
  type Tokens,
  webStore,
} from './token-store.ts'

export interface ClientOptions {
  /** Where the service is: its `ISSUER`. */
  url: string
  /** Where tokens are kept; in memory, when it is left out. */
  store?: TokenStore
  /** In place of the global one. */
  fetch?: (request: Request) => Promise<Response>
}

/**
 * The routes of the service, typed: `client.POST('/login', { body })`. Tokens need not be passed around: those that an
 * answer brings are kept, sent where they belong, and renewed when they expire, once for all calls and tabs that wait.
 */
export interface Client extends Routes {
  /**
   * An access token for another service, good for some seconds at least; `null` when nobody is signed in.
   *
   * @throws {KeyturnError} when it has to be renewed and cannot be now.
   */
  accessToken(): Promise<string | null>
  /** Where the person is, by what the store holds. After a reload it is where it was before. */
  state(): Promise<ClientState>
  /** Whether there is a session, as far as this client knows; before an asynchronous store has answered, there is none. */
  readonly signedIn: boolean
  /** Forgets the recovery codes that `state` shows until then: call it when the person has saved them. */
  recoveryCodesSaved(): Promise<void>
  /** Called with each new state, also when another tab made it. @returns what ends the subscription. */
  onChange(listener: (state: ClientState) => void): () => void
  /** @returns what ends the subscription. */
  onSignedOut(listener: (reason: SignedOutReason) => void): () => void
}

export function createClient({
  url,
  store = memoryStore(),
  fetch = (request) => globalThis.fetch(request),
}: ClientOptions): Client {
  const baseUrl = url.replace(/\/$/, '')
  const state = keepState(store)
  /** A request that the caller gave up is an error; one that got no answer is a problem. */
  const send = (request: Request) =>
    fetch(request).catch((error) => {
      if (request.signal?.aborted) throw error
      return unreachable()
    })
  const session = makeSession({ url: baseUrl, state, send, shared: store.shared })
  const { GET, POST, PUT, PATCH, DELETE } = createFetchClient<paths, Json>({
    baseUrl,
    fetch: async (request) => asProblem(await session.send(request)),
  })

  return {
    ...{ GET, POST, PUT, PATCH, DELETE },
    async accessToken() {
      const token = await session.freshAccessToken()
      if (token instanceof Response) throw new KeyturnError(await problemIn(token))
      return token
    },
    state: async () => stateOf(await state.read()),
    async recoveryCodesSaved() {
      await state.update((kept) => ({
        ...kept,
        tokens: kept.tokens && { ...kept.tokens, recoveryCodes: undefined },
      }))
    },
    get signedIn() {
      return state.last().status === 'signed_in'
    },
    onChange: state.onChange,
    onSignedOut: state.onSignedOut,
  }
}

/** What is not the service's own refusal is put into the form of one. */
async function asProblem(response: Response): Promise<Response> {
  if (response.ok || response.headers.get('content-type')?.startsWith(PROBLEM_MEDIA_TYPE)) return response
  return asResponse(await problemIn(response))
}
