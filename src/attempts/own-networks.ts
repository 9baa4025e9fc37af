import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { addOwnNetwork, forgetOwnNetworks } from './own-network-store.ts'
import { from } from './subjects.ts'

/**
 * The networks of an account: where it has signed in fully, with every factor that was asked for, in the last 180 days.
 * What strangers guess elsewhere does not pause sign-ins there. A right password alone does not make a network the
 * account's own, or a thief who has bought the password would have a network here just as the owner has.
 */
export interface OwnNetworks {
  /** A full sign-in has come from the caller's network. */
  add(trx: Trx, account: Account, caller: Caller): Promise<void>
  /** Forgets every network but the caller's: a person who was signed in elsewhere may not be the owner. */
  forgetOthers(trx: Trx, account: Account, caller: Caller): Promise<void>
}

export function makeOwnNetworks({ clock, keyedHash }: { clock: Clock; keyedHash: KeyedHash }): OwnNetworks {
  const here = ({ username }: Account, { ip }: Caller) => from(keyedHash, username, ip)
  return {
    add: (trx, account, caller) =>
      addOwnNetwork(trx, { subject: here(account, caller), accountId: account.id, now: clock.now() }),
    forgetOthers: (trx, account, caller) => forgetOwnNetworks(trx, account.id, here(account, caller)),
  }
}
