import type { Account } from '../accounts/account.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { mailedTooOften } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { countMail, uncountMail } from './store.ts'

export const MAIL_WINDOW_MS = 3_600_000

/** Codes in an hour that one account may ask for, wherever they go. */
const MAX_FOR_ACCOUNT = 10

/**
 * Codes in an hour to one address that none of the askers has proven, over all accounts: a stranger cannot fill a
 * mailbox. Whoever has proven the address is not counted here, and so cannot be shut out by strangers.
 */
const MAX_TO_UNPROVEN = 5

/** How many codes may be mailed at somebody's request; what follows from their own actions is not counted. */
export interface MailAllowance {
  /**
   * Counts a mail before it is sent.
   *
   * @throws {AppError} rate_limited
   */
  take(trx: Trx, account: Account, address: string): Promise<void>
  /** The mail did not go out. */
  giveBack(trx: Trx, account: Account, address: string): Promise<void>
}

export function makeMailAllowance({
  clock,
  keyedHash,
}: {
  clock: Clock
  keyedHash: KeyedHash
}): MailAllowance {
  /** Under a hash: what is counted must not become a list of addresses. */
  function subjectsOf(account: Account, address: string): [subject: string, max: number][] {
    const proven = account.emailVerified && account.email === address
    const own: [string, number] = [keyedHash('mail count', 'account', account.id), MAX_FOR_ACCOUNT]
    return proven
      ? [own]
      : [own, [keyedHash('mail count', 'address', address.toLowerCase()), MAX_TO_UNPROVEN]]
  }

  return {
    async take(trx, account, address) {
      const now = clock.now()
      for (const [subject, max] of subjectsOf(account, address)) {
        const full = await countMail(trx, subject, { now, windowMs: MAIL_WINDOW_MS, max })
        if (full) throw mailedTooOften(Math.ceil((full.until - now) / 1000))
      }
    },
    async giveBack(trx, account, address) {
      for (const [subject] of subjectsOf(account, address)) await uncountMail(trx, subject)
    },
  }
}
