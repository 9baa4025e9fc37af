import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { lacking, liveReplicas, type Replica } from '../tokens/key-holders.ts'
import { CommandFailed } from './terminal.ts'

/**
 * Asked before a command seals something: every replica that serves must be able to open it.
 *
 * @param refusal says that nothing was done, as a sentence.
 * @param faultOf a sentence about a replica that is not ready for this key.
 * @throws {CommandFailed}
 */
export async function requireHolders(
  { db, clock }: { db: Db; clock: Clock },
  keyId: string,
  refusal: string,
  faultOf: (keyId: string, replicas: readonly Replica[]) => string | undefined = lacking,
): Promise<void> {
  const behind = faultOf(keyId, await liveReplicas(db, clock))
  if (behind) throw new CommandFailed(`${refusal} ${behind} ${KILLED}`)
}

/** Why a replica that is gone may be named. */
export const KILLED = '(A killed replica counts for two minutes: see keyturn keys status.)'
