/** The tokens of a session. */
export interface Tokens {
  accessToken: string
  /** Epoch milliseconds, by the clock of this machine. */
  accessExpiresAt: number
  refreshToken: string
}

/** Where the tokens are kept. */
export interface TokenStore {
  read(): Tokens | null
  write(tokens: Tokens | null): void
  /** Told when somebody else, another tab, has written. */
  onChange?(listener: (tokens: Tokens | null) => void): void
}

/** For as long as the page or the process lives. */
export function memoryStore(): TokenStore {
  let kept: Tokens | null = null
  return {
    read: () => kept,
    write(tokens) {
      kept = tokens
    },
  }
}

/** As much of a page as is needed of it; this file is also read where there is none. */
interface Page {
  localStorage: {
    getItem(name: string): string | null
    setItem(name: string, value: string): void
    removeItem(name: string): void
  }
  addEventListener(
    type: 'storage',
    listener: (event: { key: string | null; newValue: string | null }) => void,
  ): void
}

/**
 * In `localStorage`: over reloads, and for all tabs of an origin together. Whatever script runs on the origin can read
 * it; without a need for that, keep tokens in memory.
 */
export function webStore(name = 'keyturn'): TokenStore {
  const { localStorage, addEventListener } = globalThis as unknown as Page
  const parse = (text: string | null): Tokens | null => (text === null ? null : JSON.parse(text))
  return {
    read: () => parse(localStorage.getItem(name)),
    write(tokens) {
      if (tokens) localStorage.setItem(name, JSON.stringify(tokens))
      else localStorage.removeItem(name)
    },
    onChange(listener) {
      addEventListener('storage', ({ key, newValue }) => {
        if (key === name || key === null) listener(parse(newValue))
      })
    },
  }
}
