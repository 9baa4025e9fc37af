import { Redis } from 'ioredis'
import type { Config } from '../../config.ts'
import { beat } from '../../http/shared-counts.ts'
import { goesInClear } from '../../platform/clear-text.ts'
import type { Clock } from '../../platform/clock.ts'
import type { ForeignTime } from './clock.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('redis')

const RIGHTS = 'Let its user run scripts (EVAL) and write keyturn:* on a primary that has memory left.'

const TIMEOUT_MS = 3_000

/** Checks that Redis counts as the service has it count. @param times gets its time. */
export async function checkRedis(
  { redisUrl }: Config,
  clock: Clock,
  times: ForeignTime[],
): Promise<Finding[]> {
  if (!redisUrl) return [ok('not used: limits are counted in memory')]
  const url = new URL(redisUrl)
  const { host } = url
  const clear = goesInClear(url, 'redis:')
    ? [warn(`its password and counts go to ${host} in clear text`, 'Use rediss:// without ?tls=off.')]
    : []
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  let lost: Error | undefined
  redis.on('error', (error: Error) => {
    lost = error
  })
  try {
    await redis.connect()
    const [seconds = 0, micros = 0] = await redis.time()
    const theirs = Number(seconds) * 1000 + Number(micros) / 1000
    times.push({ whose: 'Redis', theirs, ours: clock.now() })
    await beat(redis, 'keyturn:replicas:doctor', 'doctor')
    return [ok(`${host} answers, and counts`), ...clear]
  } catch (error) {
    const { message } = lost ?? (error as Error)
    const [found, advice] =
      redis.status === 'ready' ? ['does not count', RIGHTS] : ['does not answer', 'Look at REDIS_URL.']
    return [
      fail(`${host} ${found}: ${message}`, `${advice} Until then each process counts for itself.`),
      ...clear,
    ]
  } finally {
    redis.disconnect()
  }
}
