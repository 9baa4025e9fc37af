import { Redis } from 'ioredis'
import type { Config } from '../../config.ts'
import type { Clock } from '../../platform/clock.ts'
import type { ForeignTime } from './clock.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, fail } = findingsOf('redis')

const TIMEOUT_MS = 3_000

/** Whether Redis answers, and what time it says it is. */
export async function checkRedis(
  { redisUrl }: Config,
  clock: Clock,
): Promise<{ findings: Finding[]; times: ForeignTime[] }> {
  if (!redisUrl) return { findings: [ok('not used: limits are counted in memory')], times: [] }
  const { host } = new URL(redisUrl)
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
    return { findings: [ok(`${host} answers`)], times: [{ whose: 'Redis', theirs, ours: clock.now() }] }
  } catch (error) {
    const { message } = lost ?? (error as Error)
    const advice = 'Look at REDIS_URL. Until it answers, each process counts for itself.'
    return { findings: [fail(`${host} does not answer: ${message}`, advice)], times: [] }
  } finally {
    redis.disconnect()
  }
}
