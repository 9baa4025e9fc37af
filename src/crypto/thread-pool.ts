import { availableParallelism } from 'node:os'

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
