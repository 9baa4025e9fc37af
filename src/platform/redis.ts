import type { FastifyBaseLogger } from 'fastify'
import { Redis } from 'ioredis'
import { repeatInBackground } from './background.ts'

/** How much a request is delayed that meets a dead Redis. Later requests are not delayed. */
const PATIENCE_MS = 200
/** From a lost connection to the next attempt, and from one beat to the next. */
const BEAT_MS = 1_000
/** A connection without any answer is given up: it may lead to a machine that is gone. */
const SILENCE_MS = 2_000

export type RedisState = 'ok' | 'unavailable'

interface LinkParts {
  url: string
  /** Must write, like the commands it stands for: a full Redis and a replica still answer reads. */
  beat: (client: Redis) => Promise<unknown>
  logger: Pick<FastifyBaseLogger, 'info' | 'warn'>
}

/**
 * A Redis that may be down: its commands get an answer soon, or none. The first failure takes it out of use, and a beat
 * once a second brings it back. Each of these changes is one line in the log.
 */
export type RedisLink = ReturnType<typeof makeRedisLink>

export function makeRedisLink({ url, beat, logger }: LinkParts) {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    // A command is for now: an answer after a reconnect would come too late.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => BEAT_MS * (0.5 + Math.random() / 2),
    // After a failover, the same name leads to another machine.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  })
  // Why there is no connection; a failed command only shows that there is none.
  let connectionFault: Error | null = null
  client.on('error', (error) => {
    connectionFault = error
  })
  client.on('ready', () => {
    connectionFault = null
  })

  let state: RedisState | null = null
  function turn(next: RedisState, fault?: unknown): void {
    // Only the message of the error: the command that failed may be the one with the password.
    const { message } = (connectionFault ?? fault ?? {}) as Error
    if (next === 'unavailable' && state !== 'unavailable')
      logger.warn({ reason: message }, 'Redis is away: each process counts for itself')
    if (next === 'ok' && state === 'unavailable') logger.info('Redis is back')
    state = next
  }

  async function attempt<T>(command: (client: Redis) => Promise<T>): Promise<T | undefined> {
    try {
      return await within(PATIENCE_MS, command(client))
    } catch (fault) {
      turn('unavailable', fault)
      return undefined
    }
  }

  async function work(): Promise<void> {
    if ((await attempt(async (on) => [await beat(on)])) !== undefined) turn('ok')
  }

  let endBeats = async () => {}
  return {
    state: (): RedisState => state ?? 'unavailable',

    /**
     * @returns the result of the command, or `undefined` when Redis is down, too slow, or refuses. It takes 200 ms at
     * most, and no time while Redis is known to be down.
     */
    ask: async <T>(command: (client: Redis) => Promise<T>): Promise<T | undefined> =>
      state === 'ok' ? attempt(command) : undefined,

    /** Connects, and keeps trying. It waits a moment for the first answer and does not fail without one. */
    async open(): Promise<void> {
      await within(BEAT_MS, client.connect()).catch(() => {})
      await work()
      endBeats = repeatInBackground({ pauseMs: BEAT_MS, work, onError: () => {} })
    },

    async close(): Promise<void> {
      await endBeats()
      state = 'unavailable'
      client.disconnect()
    },
  }
}

/** Rejects after this many milliseconds. An answer that arrived while this process was busy is still accepted. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    // Timers run before the network is read, and this runs after.
    () => setImmediate(() => late.reject(new Error(`no answer in ${ms} ms`))),
    ms,
  )
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
