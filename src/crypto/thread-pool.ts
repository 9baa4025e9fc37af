import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, constants, setPriority } from 'node:os'

const LIBUV_DEFAULT_SIZE = 4

/**
 * Hashes run in the thread pool of libuv, which file access and DNS share. The pool is made larger than the number of
 * hashes at a time. libuv reads the variable once, when the pool is first used, so this runs before everything else.
 *
 * @returns how many hashes may run at once.
 */
export function reserveHashThreads(environment: NodeJS.ProcessEnv): number {
  const wanted = Number(environment.HASH_CONCURRENCY) || availableParallelism()
  environment.UV_THREADPOOL_SIZE ??= String(Math.max(LIBUV_DEFAULT_SIZE, wanted + 2))
  return hashThreads(environment)
}

/** How many hashes may run at once: two threads stay free, one of them for the hashes of other programs. */
export function hashThreads({ UV_THREADPOOL_SIZE }: NodeJS.ProcessEnv): number {
  return Math.max(1, Number(UV_THREADPOOL_SIZE ?? LIBUV_DEFAULT_SIZE) - 2)
}

/** The threads of this process on Linux, by number. */
const THREADS = '/proc/self/task'

/** The name that libuv gives to the threads of its pool. */
const POOL_THREAD = 'libuv-worker'

/**
 * Lets the hashes give way: they would keep every core busy, and what needs no hash would wait behind them for its turn.
 * The one thread that answers leaves them the other cores; a core that is the only one they share evenly. To be called
 * once the pool has been used; it has no threads before. Only Linux gives a thread a priority of its own.
 *
 * In a flood of logins on two cores `GET /me` takes 0.77 times as long at p50 and 0.71 at p99, `POST /2fa/verify` 0.90
 * and 0.71. Hashes pay for it: there were 0.42 times as many, since other programs kept both cores busy, too.
 * `node test/bench/cleverness.ts priority` measures it.
 */
export function lowerHashThreads(): void {
  if (process.platform !== 'linux' || availableParallelism() === 1) return
  for (const id of readdirSync(THREADS)) {
    try {
      if (readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim() === POOL_THREAD)
        setPriority(Number(id), constants.priority.PRIORITY_LOW)
    } catch {
      // The thread has ended meanwhile, or this process may not change priorities. Then it is as fast as before.
    }
  }
}
