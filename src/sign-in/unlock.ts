import type { Account } from '../accounts/account.ts'
import { LONGEST_PAUSE_SECONDS } from '../attempts/policies.ts'
import { subjectsOf } from '../attempts/subjects.ts'
import { listTriedFrom } from '../audit/list-events.ts'
import type { Caller } from '../caller.ts'
import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import { type Db, inTransaction, type Trx } from '../platform/database.ts'
import type { SignInRoom } from './room.ts'

/**
 * Ends the pauses of an account after wrong passwords and codes. Wrong codes stay counted: at most a hundred in a row
 * are ever evaluated (NIST SP 800-63B-4 section 3.2.2), and a factor that they have closed must be replaced.
 *
 * @param ips the addresses from which passwords were tried: the counters are stored under hashes and cannot be
 * listed.
 */
export async function unlock(
  { accounts, attempts, db, keyedHash, trail }: SignInRoom,
  account: Account,
  ips: readonly string[],
  caller: Caller,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const { username } = account
    for (const subject of subjectsOf(keyedHash, username, ips)) await attempts.clear(trx, subject)
    await attempts.endPauses(trx, account.id)
    await accounts.keep(trx, account)
    await trail.record(trx, 'account_unlocked', { account }, caller)
  })
}

/**
 * For a new password: its owner can sign in with it now. All counts stay, so that the next wrong password or code
 * brings the next pause, and a closed factor stays closed.
 */
export async function endPauses(
  room: Pick<SignInRoom, 'attempts' | 'clock' | 'keyedHash'>,
  trx: Trx,
  account: Account,
): Promise<void> {
  const { attempts, keyedHash } = room
  const ips = await listPausedFrom(room, trx, account)
  for (const subject of subjectsOf(keyedHash, account.username, ips)) await attempts.endPauses(trx, subject)
  await attempts.endPauses(trx, account.id)
}

/** The addresses from which wrong passwords may have started a pause that is on. */
export async function listPausedFrom(
  { clock }: Pick<SignInRoom, 'clock'>,
  db: Db,
  { id }: Account,
): Promise<string[]> {
  return listTriedFrom(db, id, pausedSince(clock))
}

/** No pause that is on began before this time, in epoch milliseconds. */
export function pausedSince(clock: Clock): number {
  return clock.now() - (LONGEST_PAUSE_SECONDS + CLOCK_SKEW_SECONDS) * 1000
}
