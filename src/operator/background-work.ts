import type { FastifyBaseLogger } from 'fastify'
import type { Outbox } from '../mail/outbox.ts'
import { repeatInBackground } from '../platform/background.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import type { CleanUp } from './clean-up.ts'

/** Well within the lead that a new signing key has before it signs. */
const KEYS_EVERY_MS = 60_000
const CLEAN_UP_EVERY_MS = 600_000
const MAIL_EVERY_MS = 2_000

/**
 * Looks after keys, expired rows and the mail that waits, for as long as the process runs.
 *
 * @returns what ends it, after the steps that are under way.
 */
export function startBackgroundWork({
  signingKeys,
  cleanUp,
  outbox,
  logger,
}: {
  signingKeys: SigningKeys
  cleanUp: CleanUp
  outbox: Outbox
  logger: Pick<FastifyBaseLogger, 'info' | 'error'>
}): () => Promise<void> {
  const onError = (err: unknown) => logger.error({ err }, 'background work failed')
  const ends = [
    repeatInBackground({ pauseMs: KEYS_EVERY_MS, work: () => signingKeys.maintain(), onError }),
    repeatInBackground({ pauseMs: MAIL_EVERY_MS, work: (ending) => outbox.deliverDue(ending), onError }),
    repeatInBackground({
      pauseMs: CLEAN_UP_EVERY_MS,
      work: async (signal) => logger.info({ deleted: await cleanUp(signal) }, 'cleaned up'),
      onError,
    }),
  ]
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}
