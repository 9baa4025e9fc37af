import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { makeRedisLink } from '../platform/redis.ts'

/** A replica counts as gone after this many seconds without a beat. */
const GONE_SECONDS = 10
/**
 * A Redis that was emptied knows only one replica until the others beat again. So the highest of the last beats
 * counts.
 */
const BEATS_REMEMBERED = 10
/** The number of replicas assumed until Redis answers for the first time: more than most services have. */
const REPLICAS_UNHEARD = 4

/**
 * Counts one more. Every key gets an expiry, whatever happened to it: a key without one would count for ever.
 * KEYS[1] is what is counted, ARGV[1] the milliseconds that the count lasts.
 */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return { count, ttl }`

/**
 * Reports that a replica is there, and returns how many are, by the clock of Redis alone.
 * KEYS[1] has all replicas, ARGV[1] is this one, ARGV[2] the seconds after which one counts as gone.
 */
const BEAT = `
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`

/**
 * Says that a replica is there, and counts as a request would: a user of Redis may have the right to one of them alone.
 *
 * @returns how many replicas there are.
 */
export async function beat(redis: Redis, replicasKey: string, replica: string): Promise<number> {
  const [replicas] = await Promise.all([
    redis.eval(BEAT, 1, replicasKey, replica, GONE_SECONDS),
    redis.eval(COUNT, 1, `keyturn:beat:${replica}`, GONE_SECONDS * 1000),
  ])
  return replicas as number
}

/** Requests that all replicas of this service count together in Redis. */
export type SharedCounts = ReturnType<typeof makeSharedCounts>

/** Redis gets addresses as keyed hashes. A reader of Redis learns that there were requests, but not from where. */
export function makeSharedCounts({ url, keyedHash, logger }: SharedCountsParts) {
  const replica = crypto.randomUUID()
  const replicasKey = `keyturn:replicas:${keyedHash('shared count', 'replicas')}`
  const heard: number[] = []

  const redis = makeRedisLink({
    url,
    logger,
    async beat(client) {
      heard.push(await beat(client, replicasKey, replica))
      if (heard.length > BEATS_REMEMBERED) heard.shift()
    },
  })

  return {
    /**
     * Counts one request.
     *
     * @param max requests in one window.
     * @returns the count, and `ttl`, the milliseconds left of its window; `undefined` while Redis is down.
     */
    count: (group: string, address: string, { max, windowMs }: { max: number; windowMs: number }) =>
      redis.ask(async (client) => {
        const key = `keyturn:count:${keyedHash('shared count', group, address)}`
        const [count, ttl] = (await client.eval(COUNT, 1, key, windowMs)) as [number, number]
        return { max, remaining: Math.max(0, max - count), ttl, isExceeded: count > max }
      }),

    /** How many replicas count together; while Redis is down, how many did last. At least 1. */
    replicas: (): number => (heard.length > 0 ? Math.max(...heard) : REPLICAS_UNHEARD),

    ...{ state: redis.state, open: redis.open, close: redis.close },
  }
}

interface SharedCountsParts {
  url: string
  keyedHash: KeyedHash
  logger: Pick<FastifyBaseLogger, 'info' | 'warn'>
}
