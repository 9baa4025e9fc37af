import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { makeRedisLink, type RedisState } from '../platform/redis.ts'

/** After so many seconds without a beat a replica counts as gone. */
const GONE_SECONDS = 10
/** Emptied, Redis knows of one replica again until the others beat: the most of the last beats counts. */
const BEATS_REMEMBERED = 10
/** Until Redis has answered for the first time: more replicas than most services have. */
const REPLICAS_UNHEARD = 4

/**
 * Counts one more. A key without an end would count for ever: each has one, whatever happened to it.
 * KEYS[1] what is counted, ARGV[1] milliseconds that the count lasts.
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
 * Says that a replica is there, and how many are, by the clock of Redis alone.
 * KEYS[1] all replicas, ARGV[1] this one, ARGV[2] the seconds after which one counts as gone.
 */
const BEAT = `
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`

/** Requests that all replicas of this service count together, in Redis. */
export interface SharedCounts {
  /** Counts one request. @returns how it stands with the limit; `undefined` while Redis is away. */
  count(group: string, address: string, limit: SharedLimit): Promise<SharedCount | undefined>
  /** How many count together; while Redis is away, how many did. At least 1. */
  replicas(): number
  state(): RedisState
  open(): Promise<void>
  close(): Promise<void>
}

interface SharedLimit {
  /** Requests in one window. */
  max: number
  windowMs: number
}

interface SharedCount {
  max: number
  remaining: number
  /** Milliseconds that are left of the window. */
  ttl: number
  isExceeded: boolean
}

/** Addresses go to Redis as keyed hashes: who reads it learns that somebody called, not who. */
export function makeSharedCounts({
  url,
  keyedHash,
  logger,
}: {
  url: string
  keyedHash: KeyedHash
  logger: Pick<FastifyBaseLogger, 'info' | 'warn'>
}): SharedCounts {
  const replica = randomUUID()
  const replicasKey = `keyturn:replicas:${keyedHash('shared count', 'replicas')}`
  const heard: number[] = []

  const redis = makeRedisLink({
    url,
    logger,
    async beat(client) {
      heard.push((await client.eval(BEAT, 1, replicasKey, replica, GONE_SECONDS)) as number)
      if (heard.length > BEATS_REMEMBERED) heard.shift()
    },
  })

  return {
    count: (group, address, { max, windowMs }) =>
      redis.ask(async (client) => {
        const key = `keyturn:count:${keyedHash('shared count', group, address)}`
        const [count, ttl] = (await client.eval(COUNT, 1, key, windowMs)) as [number, number]
        return { max, remaining: Math.max(0, max - count), ttl, isExceeded: count > max }
      }),
    replicas: () => (heard.length > 0 ? Math.max(...heard) : REPLICAS_UNHEARD),
    state: redis.state,
    open: redis.open,
    close: redis.close,
  }
}
