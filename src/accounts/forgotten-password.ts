import type { Caller } from '../caller.ts'
import { newOpaqueToken } from '../crypto/codes.ts'
import { COOL_DOWN_SECONDS } from '../mail/cool-down.ts'
import type { AnswerForgotten } from '../mail/outbox.ts'
import { passwordReset } from '../mail/templates/codes.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { linkWith } from '../platform/link.ts'
import { addressKey } from '../values/email-address.ts'
import type { Account } from './account.ts'
import * as store from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'
import { findAccountByUsername, findAccountsByAddress, lockAccount } from './store.ts'

const TOKEN_TTL_SECONDS = 3600
/** Mails in an hour to one account, for all who ask together. */
const MAX_MAILS = 5
/** Accounts that one request mails to, where several have proven the same address. */
const MAX_ACCOUNTS = 5

/**
 * Notes that a password was forgotten. Whether the account exists and has a proven address is checked later: the
 * answer and its time are the same for every name.
 */
export async function forgetPassword(
  { clock, db, outbox }: Pick<AccountsRoom, 'clock' | 'db' | 'outbox'>,
  username: string,
  { ip }: Caller,
): Promise<void> {
  await inTransaction(db, (trx) =>
    outbox.put(trx, { kind: 'password_forgotten', username, at: clock.now(), ip }),
  )
}

/** The accounts that a person may mean: the one with this username, and those that have proven this address. */
export async function findForgotten(trx: Trx, typed: string): Promise<Account[]> {
  const address = addressKey(typed)
  if (address !== undefined) return findAccountsByAddress(trx, address, MAX_ACCOUNTS)
  const account = await findAccountByUsername(trx, typed)
  return account ? [account] : []
}

/** Makes the reset token and its mail for an account with a proven address, unless one was made just before. */
export function makeAnswerForgotten({
  db,
  clock,
  keyedHash,
  resetUrl,
}: Pick<AccountsRoom, 'clock' | 'db' | 'keyedHash' | 'resetUrl'>): AnswerForgotten {
  /** @returns the address to send the token to; `null` when no token was made. */
  async function keepToken(trx: Trx, accountId: string, tokenHash: string): Promise<Account | null> {
    const account = await lockAccount(trx, accountId)
    if (!account || account.disabled || !account.emailVerified) return null
    const now = clock.now()
    // Ignore rows from the future: another host's clock was ahead.
    const ttlMs = TOKEN_TTL_SECONDS * 1000
    const made = await store.listPasswordResets(trx, account.id, now - ttlMs, now + ttlMs)
    const tooSoon = made.some((at) => at > now - COOL_DOWN_SECONDS * 1000)
    if (tooSoon || made.length >= MAX_MAILS) return null
    await store.voidPasswordResets(trx, account.id, now)
    const expiresAt = now + ttlMs
    await store.insertPasswordReset(trx, { tokenHash, accountId: account.id, createdAt: now, expiresAt })
    return account
  }

  return async (accountId, { at, ip }) => {
    const token = newOpaqueToken()
    const tokenHash = keyedHash('reset token', token)
    const account = await inTransaction(db, (trx) => keepToken(trx, accountId, tokenHash))
    if (!account?.email) return null
    return {
      to: { name: '', address: account.email },
      letter: passwordReset({
        username: account.username,
        at,
        ip,
        token,
        link: linkWith(resetUrl, token),
        minutes: TOKEN_TTL_SECONDS / 60,
      }),
      takeBack: () => inTransaction(db, (trx) => store.deletePasswordReset(trx, tokenHash)),
    }
  }
}
