import type { FastifyBaseLogger } from 'fastify'
import type { Outbox } from '../mail/outbox.ts'
import { repeatInBackground } from '../platform/background.ts'
import { type KeyHolder, NOTED_EVERY_MS } from '../tokens/key-holders.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import { type CleanUpRoom, cleanUp } from './clean-up.ts'

/** How long a process may go on trusting a signing key that was revoked. Each check is one small query. */
const KEYS_EVERY_MS = 5_000
const CLEAN_UP_EVERY_MS = 600_000
const MAIL_EVERY_MS = 2_000

/**
 * Maintains keys, deletes expired rows and sends waiting mail, for as long as the process runs.
 *
 * @returns a function that ends it after the current steps.
 */
export function startBackgroundWork({
  logger,
  outbox,
  signingKeys,
  keyHolder,
  ...room
}: CleanUpRoom & {
  keyHolder: Pick<KeyHolder, 'note'>
  signingKeys: SigningKeys
  outbox: Outbox
  logger: Pick<FastifyBaseLogger, 'info' | 'error'>
}): () => Promise<void> {
  const onError = (err: unknown) => logger.error({ err }, 'background work failed')
  const ends = [
    repeatInBackground({ pauseMs: KEYS_EVERY_MS, work: () => signingKeys.maintain(), onError }),
    repeatInBackground({ pauseMs: NOTED_EVERY_MS, work: () => keyHolder.note(), onError }),
    repeatInBackground({ pauseMs: MAIL_EVERY_MS, work: (ending) => outbox.deliverDue(ending), onError }),
    repeatInBackground({
      pauseMs: CLEAN_UP_EVERY_MS,
      work: async (signal) => logger.info({ deleted: await cleanUp(room, signal) }, 'cleaned up'),
      onError,
    }),
  ]
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}
