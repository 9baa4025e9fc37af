import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, constants, setPriority } from 'node:os'

const LIBUV_DEFAULT_SIZE = 4

/**
 * Hashes run in libuv's pool, which file access and DNS share: the pool is made larger than the number of
 * hashes at a time. libuv reads the variable once, when the pool is first used, so this comes before
 * everything else.
 *
 * @returns how many hashes may run at once so that one thread stays free.
 */
export function reserveHashThreads(environment: NodeJS.ProcessEnv): number {
  const wanted = Number(environment.HASH_CONCURRENCY) || availableParallelism()
  environment.UV_THREADPOOL_SIZE ??= String(Math.max(LIBUV_DEFAULT_SIZE, wanted + 2))
  return Math.max(1, Number(environment.UV_THREADPOOL_SIZE) - 1)
}

/** Where Linux tells of the threads of this process, each by its number. */
const THREADS = '/proc/self/task'

/** The name that libuv gives to the threads of its pool. */
const POOL_THREAD = 'libuv-worker'

/**
 * Lets the hashes give way: they would keep every core busy, and whatever needs no hash would wait behind them for its
 * turn. The one thread that answers leaves them the other cores; a core that is the only one they share evenly. To be
 * called once the pool has been used; it has no threads before. Only Linux gives a thread a priority of its own.
 */
export function lowerHashThreads(): void {
  if (process.platform !== 'linux' || availableParallelism() === 1) return
  for (const id of readdirSync(THREADS)) {
    try {
      if (readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim() === POOL_THREAD)
        setPriority(Number(id), constants.priority.PRIORITY_LOW)
    } catch {
      // It has ended meanwhile, or this process may not: it is as fast as it was.
    }
  }
}
