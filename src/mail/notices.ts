import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import type { Outbox } from './outbox.ts'
import { type NoticeName, notice } from './templates/notices.ts'

/** Mails owners what happened to their account, at the address that they have proven. */
export interface Notices {
  /** @param about.method the factor. @param about.alsoTo addresses in addition to the proven one. */
  tell(
    trx: Trx,
    account: Account,
    name: NoticeName,
    caller: Caller,
    about?: { method?: string; alsoTo?: string[] },
  ): Promise<void>
}

export function makeNotices({ outbox, clock }: { outbox: Outbox; clock: Clock }): Notices {
  return {
    async tell(trx, account, name, caller, { method, alsoTo = [] } = {}) {
      const own = account.email !== null && account.emailVerified ? [account.email] : []
      for (const address of new Set([...own, ...alsoTo]))
        await outbox.put(trx, {
          kind: 'letter',
          to: { name: '', address },
          letter: notice(name, { username: account.username, at: clock.now(), ip: caller.ip }, method),
        })
    },
  }
}
