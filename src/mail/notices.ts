import type { Account } from '../accounts/account.ts'
import type { EventName } from '../audit/events.ts'
import type { Caller } from '../caller.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import type { Outbox } from './outbox.ts'
import { isNotice, notice } from './templates/notices.ts'

/** Mails owners what happened to their account, at the address that they have proven. */
export type TellOwner = ReturnType<typeof makeTellOwner>

export const makeTellOwner =
  ({ outbox, clock }: { outbox: Outbox; clock: Clock }) =>
  /**
   * Of some events no owner is told.
   *
   * @param about.method the factor that it is about.
   * @param about.alsoTo addresses in addition to the proven one.
   */
  async (
    trx: Trx,
    account: Account,
    name: EventName,
    { ip }: Caller,
    { method, alsoTo = [] }: { method?: string; alsoTo?: readonly string[] } = {},
  ) => {
    if (!isNotice(name)) return
    const { username, email, emailVerified } = account
    const addresses = new Set([...(email && emailVerified ? [email] : []), ...alsoTo])
    if (addresses.size === 0) return
    const letter = notice(name, { username, at: clock.now(), ip }, method)
    for (const address of addresses)
      await outbox.put(trx, { kind: 'letter', to: { name: '', address }, letter })
  }
