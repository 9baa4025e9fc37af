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
 * Lets the hashes give way: they would keep every core busy, and whatever needs no hash would wait behind them for a
 * core. To be called once the pool has been used; it has no threads before.
 *
 * @returns how many threads give way; none where a thread has no priority of its own, which only Linux gives it.
 */
export function lowerHashThreads(): number {
  try {
    const threads = readdirSync(THREADS).filter(
      (id) => readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim() === POOL_THREAD,
    )
    for (const id of threads) setPriority(Number(id), constants.priority.PRIORITY_LOW)
    return threads.length
  } catch {
    return 0
  }
}
