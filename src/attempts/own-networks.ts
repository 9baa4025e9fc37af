import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import { findOwnNetwork } from './store.ts'
import { from } from './subjects.ts'
import { OWN_NETWORK_MS } from './tables.ts'

const signedIn = prepared((db, param: Params<{ subject: string; accountId: string; now: number }>) =>
  db
    .insertInto('own_networks')
    .values({ subject: param('subject'), account_id: param('accountId'), signed_in_at: param('now') })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet({ signed_in_at: param('now') })),
)

const signedInAgain = prepared((db, param: Params<{ subject: string; now: number; ownAfter: number }>) =>
  db
    .updateTable('own_networks')
    .set({ signed_in_at: param('now') })
    .where('subject', '=', param('subject'))
    .where('signed_in_at', '>', param('ownAfter')),
)

/**
 * The networks of an account: where it has signed in fully, with every factor that was asked for, in the last 180 days.
 * What strangers guess elsewhere does not pause sign-ins there. A right password alone does not make a network the
 * account's own, or a thief who has bought the password would have a network here just as the owner has.
 */
export type OwnNetworks = ReturnType<typeof makeOwnNetworks>

export function makeOwnNetworks({ clock, keyedHash }: { clock: Clock; keyedHash: KeyedHash }) {
  const here = ({ username }: Account, { ip }: Caller) => from(keyedHash, username, ip)
  return {
    /** Whether the caller's network is one of the account with this username, if there is one. */
    async has(db: Db, username: string, { ip }: Caller): Promise<boolean> {
      const subject = from(keyedHash, username, ip)
      return (
        (await findOwnNetwork.first(db, { subject, ownAfter: clock.now() - OWN_NETWORK_MS })) !== undefined
      )
    },

    /** A full sign-in has come from the caller's network. @returns whether that was not the account's own. */
    async add(trx: Trx, account: Account, caller: Caller): Promise<boolean> {
      const now = clock.now()
      const subject = here(account, caller)
      if (await signedInAgain.wroteOne(trx, { subject, now, ownAfter: now - OWN_NETWORK_MS })) return false
      await signedIn.run(trx, { subject, accountId: account.id, now })
      return true
    },

    /** Forgets every network but the caller's: a person who was signed in elsewhere may not be the owner. */
    async forgetOthers(trx: Trx, account: Account, caller: Caller): Promise<void> {
      await trx
        .deleteFrom('own_networks')
        .where('account_id', '=', account.id)
        .where('subject', '!=', here(account, caller))
        .execute()
    },
  }
}
