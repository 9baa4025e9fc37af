import { setTimeout as sleep } from 'node:timers/promises'

interface Repeated {
  pauseMs: number
  work: (signal: AbortSignal) => Promise<unknown>
  onError: (error: unknown) => void
}

/**
 * Runs work over and over for as long as the process lives, with a pause that varies by half, so that replicas that
 * started together spread out. Work that fails is tried again at its next turn.
 *
 * @returns a function that ends it after the current work.
 */
export function repeatInBackground({ pauseMs, work, onError }: Repeated): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => {})
      if (!signal.aborted) await work(signal).catch(onError)
    }
  }

  const running = run()
  return () => {
    ending.abort()
    return running
  }
}
