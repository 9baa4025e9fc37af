import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Does something over and over for as long as the process runs, with a pause in between that varies by half:
 * replicas that started together spread out. Work that fails is tried again at its next turn.
 *
 * @returns what ends it, after the work that is under way.
 */
export function repeatInBackground({
  pauseMs,
  work,
  onError,
}: {
  pauseMs: number
  work: (signal: AbortSignal) => Promise<unknown>
  onError: (error: unknown) => void
}): () => Promise<void> {
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
