import { claimOf } from './claims.ts'
import { oneAtATimeHere } from './one-at-a-time.ts'
import { type Kept, sound, type TokenStore } from './token-store.ts'

/** Where a person is: signed out, between password and second factor, or signed in. */
export type ClientState =
  | { status: 'signed_out' }
  | {
      status: 'mfa'
      enrolled: boolean
      methods: readonly string[]
      expiresAt: number
      /** The first factor takes the code that an operator handed out, as `enrolment_code`. */
      enrolmentCodeRequired?: true
    }
  | { status: 'signed_in'; recoveryCodes?: readonly string[] }

/** Why there is no session any more: this client ended it, the service did, or another tab. */
export type SignedOutReason = 'logout' | 'ended' | 'elsewhere'

/** What the store holds, and word of it when it changes. */
export interface KeptState {
  read(): Promise<Kept>
  /** Writes what `change` makes of it; changes take turns, also where the store answers late. @returns what is kept now. */
  update(change: (kept: Kept) => Kept, reason?: SignedOutReason): Promise<Kept>
  /** As far as this client knows: before an asynchronous store has answered, signed out. */
  last(): ClientState
  onChange(listener: (state: ClientState) => void): () => void
  onSignedOut(listener: (reason: SignedOutReason) => void): () => void
}

export function keepState(store: TokenStore): KeptState {
  const changed = new Set<(state: ClientState) => void>()
  const signedOut = new Set<(reason: SignedOutReason) => void>()
  const inTurn = oneAtATimeHere()

  const first = store.read()
  const known: Kept = 'then' in first ? { tokens: null, mfaStep: null } : sound(first)
  // The next read fails too, and a caller waits for that one.
  if ('then' in first) first.catch(() => {})
  let last = stateOf(known)
  let owner = ownerOf(known)

  function announce(kept: Kept, reason: SignedOutReason): void {
    const before = last
    const isSamePerson = owner === ownerOf(kept)
    last = stateOf(kept)
    owner = ownerOf(kept)
    if (isSamePerson && JSON.stringify(before) === JSON.stringify(last)) return
    tell(changed, last)
    if (before.status === 'signed_in' && !kept.tokens) tell(signedOut, reason)
  }

  async function read(): Promise<Kept> {
    const kept = sound(await store.read())
    announce(kept, 'elsewhere')
    return kept
  }

  store.onChange?.(() => void inTurn(read))

  return {
    read,
    last: () => last,
    update: (change, reason = 'ended') =>
      inTurn(async () => {
        const before = await read()
        const next = change(before)
        if (next === before) return before
        await store.write(next)
        announce(next, reason)
        return next
      }),
    onChange: (listener) => listenIn(changed, listener),
    onSignedOut: (listener) => listenIn(signedOut, listener),
  }
}

function listenIn<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** A fault of one listener is its own: neither the others nor the request that changed the state fail by it. */
function tell<T>(listeners: Set<(value: T) => void>, value: T): void {
  for (const listener of listeners)
    try {
      listener(value)
    } catch (error) {
      // biome-ignore lint/suspicious/noConsole: no caller waits for what a listener does
      console.error(error)
    }
}

/** Another tab may sign another person in. */
const ownerOf = ({ tokens }: Kept) => claimOf(tokens?.accessToken, 'sub')

export function stateOf({ tokens, mfaStep }: Kept): ClientState {
  if (tokens) {
    const { recoveryCodes } = tokens
    return { status: 'signed_in', ...(recoveryCodes && { recoveryCodes }) }
  }
  if (!mfaStep || mfaStep.expiresAt <= Date.now()) return { status: 'signed_out' }
  const { enrolled, methods, expiresAt, enrolmentCodeRequired } = mfaStep
  return {
    status: 'mfa',
    enrolled,
    methods,
    expiresAt,
    ...(enrolmentCodeRequired && { enrolmentCodeRequired }),
  }
}
