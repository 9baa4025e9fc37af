import type { Account } from '../accounts/account.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { Db } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import type { FailureCounters } from './failure-counters.ts'
import { makeSignInSubjects } from './subjects.ts'

/**
 * Ends the pauses of an account after wrong passwords and codes. Wrong codes stay counted: at most a hundred in a
 * row are ever evaluated (NIST SP 800-63B-4 section 3.2.2), and a factor that was closed by them needs a new one.
 *
 * @param ips where its passwords were tried from: the counters are kept under hashes and cannot be listed.
 */
export type Unlock = (account: Account, ips: readonly string[], client: Client) => Promise<void>

export function makeUnlock({
  db,
  keyedHash,
  failureCounters,
  trail,
}: {
  db: Db
  keyedHash: KeyedHash
  failureCounters: FailureCounters
  trail: AuditTrail
}): Unlock {
  const subjects = makeSignInSubjects(keyedHash)

  return (account, ips, client) =>
    db.transaction().execute(async (trx) => {
      const { username } = account
      await failureCounters.clear(trx, subjects.anywhere(username))
      for (const subject of new Set(ips.map((ip) => subjects.from(username, ip))))
        await failureCounters.clear(trx, subject)
      await failureCounters.endPauses(trx, account.id)
      await trail.record(trx, 'account_unlocked', { account }, client)
    })
}
