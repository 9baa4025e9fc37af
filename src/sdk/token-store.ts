/** The tokens of a session. */
export interface Tokens {
  accessToken: string
  /** Epoch milliseconds, by the clock of this machine. */
  accessExpiresAt: number
  refreshToken: string
  /** The `Idempotency-Key` of its refresh, kept before it is sent: the answer may be lost, and the app may be closed. */
  refreshKey?: string
  /** Of the account's first factor or its renewal, until the person has saved them. */
  recoveryCodes?: readonly string[] | undefined
}

/** A sign-in whose password was right and whose second factor is missing. */
export interface MfaStep {
  mfaToken: string
  /** Epoch milliseconds, by the clock of this machine. */
  expiresAt: number
  /** Whether the account has a second factor; otherwise it sets one up now. */
  enrolled: boolean
  /** What `POST /2fa/verify` takes, or what can be set up. */
  methods: readonly string[]
  /** Whether the first factor takes the code that an operator handed out. */
  enrolmentCodeRequired?: true
  /** Whether there was a session when it began. If not, a session that is there now began after it, in another tab. */
  besides?: true
}

/** All that a client keeps of one person. */
export interface Kept {
  tokens: Tokens | null
  mfaStep: MfaStep | null
  /** Refresh tokens of sessions that were signed out of and that the service still has to end: it could not be reached. */
  ending?: readonly string[] | null
}

export const NOTHING: Kept = { tokens: null, mfaStep: null }

/** Where it is kept. Both functions may return promises, as the keychain of a phone does. */
export interface TokenStore {
  read(): Kept | Promise<Kept>
  write(kept: Kept): void | Promise<void>
  /** Where other tabs use the same store: its name, by which they take turns. */
  shared?: string
  /** Calls the listener when something else, such as another tab, has written. */
  onChange?(listener: () => void): void
}

/** For as long as the page or the process lives. */
export function memoryStore(): TokenStore {
  let kept = NOTHING
  return {
    read: () => kept,
    write(next) {
      kept = next
    },
  }
}

interface Texts {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
  removeItem(name: string): void
}

/** As much of a page as is needed of it; this file is also read where there is none. */
interface Page {
  localStorage: Texts
  sessionStorage: Texts
  addEventListener(type: 'storage', listener: (event: { key: string | null }) => void): void
}

/**
 * In the browser's storage, over reloads: the session in `localStorage`, for all tabs of an origin together, and the step
 * between password and second factor in `sessionStorage`, for the tab that is at it. Whatever script runs on the origin
 * can read both; without a need for that, keep tokens in memory. A browser that lets the page store nothing keeps them there.
 */
export function webStore(name = 'keyturn'): TokenStore {
  const page = globalThis as unknown as Page
  const storages = storagesOf(page)
  if (!storages) return memoryStore()
  const [localStorage, sessionStorage] = storages
  return {
    shared: name,
    read: () => ({
      tokens: readJson(localStorage, name),
      mfaStep: readJson(sessionStorage, name),
      ending: readJson(localStorage, `${name}.ending`),
    }),
    write({ tokens, mfaStep, ending }) {
      writeJson(localStorage, name, tokens)
      writeJson(sessionStorage, name, mfaStep)
      writeJson(localStorage, `${name}.ending`, ending)
    },
    onChange(listener) {
      page.addEventListener('storage', ({ key }) => {
        if (key === name || key === null) listener()
      })
    },
  }
}

/** What `AsyncStorage` of React Native and wrappers of its keychain have in common. */
export interface AsyncTexts {
  getItem(name: string): Promise<string | null>
  setItem(name: string, value: string): Promise<unknown>
  removeItem(name: string): Promise<unknown>
}

/** In a storage that answers with promises, under one name. */
export function asyncStore(storage: AsyncTexts, name = 'keyturn'): TokenStore {
  return {
    async read() {
      const text = await storage.getItem(name)
      return parsed<Kept>(text) ?? NOTHING
    },
    async write(kept) {
      if (kept.tokens || kept.mfaStep || kept.ending) await storage.setItem(name, JSON.stringify(kept))
      else await storage.removeItem(name)
    },
  }
}

/** With cookies blocked, even the look at them throws. */
function storagesOf(page: Partial<Page>): [Texts, Texts] | null {
  try {
    const { localStorage, sessionStorage } = page
    return localStorage && sessionStorage ? [localStorage, sessionStorage] : null
  } catch {
    return null
  }
}

/** What has lost a part is nothing. */
export function sound(kept: Partial<Kept> | null): Kept {
  const { tokens = null, mfaStep = null, ending } = kept ?? {}
  return {
    tokens:
      typeof tokens?.refreshToken === 'string' && typeof tokens.accessToken === 'string' ? tokens : null,
    mfaStep: typeof mfaStep?.mfaToken === 'string' && Array.isArray(mfaStep.methods) ? mfaStep : null,
    ending: Array.isArray(ending) ? ending : null,
  }
}

const readJson = <T>(storage: Texts, name: string) => parsed<T>(storage.getItem(name))

/** What is damaged counts as nothing: the person signs in again. */
function parsed<T>(text: string | null): T | null {
  try {
    return text === null ? null : JSON.parse(text)
  } catch {
    return null
  }
}

function writeJson(storage: Texts, name: string, value: unknown): void {
  if (value) storage.setItem(name, JSON.stringify(value))
  else storage.removeItem(name)
}
