import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import type { CleanUp } from './clean-up.ts'

/** Well within the lead that a new signing key has before it signs. */
const KEYS_EVERY_MS = 60_000
/** Key rounds from one clean-up to the next. */
const CLEAN_UP_EVERY = 10

/**
 * Looks after keys and expired rows for as long as the process runs. A round that fails is logged, and the
 * next one tries again.
 *
 * @returns what ends it, after the step that is under way.
 */
export function startMaintenance({
  signingKeys,
  cleanUp,
  logger,
}: {
  signingKeys: SigningKeys
  cleanUp: CleanUp
  logger: Pick<Logger, 'info' | 'error'>
}): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending

  async function round(count: number): Promise<void> {
    try {
      await signingKeys.maintain()
      if (count % CLEAN_UP_EVERY === 0) logger.info({ deleted: await cleanUp(signal) }, 'cleaned up')
    } catch (err) {
      logger.error({ err }, 'maintenance failed')
    }
  }

  async function run(): Promise<void> {
    for (let count = 0; !signal.aborted; count += 1) {
      // Replicas that started together spread out.
      await sleep(KEYS_EVERY_MS * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(
        () => {},
      )
      if (!signal.aborted) await round(count)
    }
  }

  const running = run()
  return () => {
    ending.abort()
    return running
  }
}
