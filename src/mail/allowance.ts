import type { Account } from '../accounts/account.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { Clock } from '../platform/clock.ts'
import { countInWindow } from '../platform/count-in-window.ts'
import type { Trx } from '../platform/database.ts'
import { MailError } from '../platform/mail-error.ts'
import { mailedTooOften } from './problems.ts'
import { uncountMail } from './store.ts'
import { MAIL_WINDOW_MS } from './tables.ts'

/** Codes in an hour that one account may ask for, to any address. */
const MAX_FOR_ACCOUNT = 10

/**
 * Codes in an hour to one address by accounts that have not proven it, all together: a stranger cannot fill a
 * mailbox. An account that has proven the address is not counted here, so that strangers cannot shut it out.
 */
const MAX_TO_UNPROVEN = 5

const COUNTED = { table: 'mail_counts', key: 'subject', count: 'mails' } as const

// Under hashes: what is counted must not become a list of addresses.

/** Under what the mails that an account asked for are counted. */
export function accountSubject(keyedHash: KeyedHash, accountId: string): string {
  return keyedHash('mail count', 'account', accountId)
}

/** Under what the mails to an address are counted. */
export function addressSubject(keyedHash: KeyedHash, address: string): string {
  return keyedHash('mail count', 'address', address.toLowerCase())
}

/** Limits the codes that are mailed on request. Mails that follow from an owner's own actions are not counted. */
export type MailAllowance = ReturnType<typeof makeMailAllowance>

export function makeMailAllowance({ clock, keyedHash }: { clock: Clock; keyedHash: KeyedHash }) {
  function subjectsOf(account: Account, address: string): [subject: string, max: number][] {
    const proven = account.emailVerified && account.email === address
    const own: [string, number] = [accountSubject(keyedHash, account.id), MAX_FOR_ACCOUNT]
    return proven ? [own] : [own, [addressSubject(keyedHash, address), MAX_TO_UNPROVEN]]
  }

  return {
    /**
     * Counts a mail before it is sent.
     *
     * @throws {AppError} rate_limited
     */
    async take(trx: Trx, account: Account, address: string): Promise<void> {
      const now = clock.now()
      for (const [subject, max] of subjectsOf(account, address)) {
        const until = await countInWindow(trx, COUNTED, subject, { now, windowMs: MAIL_WINDOW_MS, max })
        if (until !== undefined) throw mailedTooOften(Math.ceil((until - now) / 1000))
      }
    },

    /** The mail was not sent. One that the server refuses for good counts: it shuts out who keeps asking. */
    async giveBack(trx: Trx, account: Account, address: string, cause: unknown): Promise<void> {
      if (cause instanceof MailError && cause.final) return
      for (const [subject] of subjectsOf(account, address)) await uncountMail(trx, subject)
    },
  }
}
