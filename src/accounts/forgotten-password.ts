import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newOpaqueToken } from '../crypto/opaque-token.ts'
import type { AnswerForgotten, Outbox } from '../mail/outbox.ts'
import { passwordReset } from '../mail/templates/codes.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Account } from './account.ts'
import {
  deletePasswordReset,
  insertPasswordReset,
  listPasswordResets,
  voidPasswordResets,
} from './password-reset-store.ts'
import { findAccountByUsername, lockAccount } from './store.ts'

const TOKEN_TTL_SECONDS = 3600
export const COOL_DOWN_SECONDS = 60
/** Mails in an hour to one account, whoever asks. */
const MAX_MAILS = 5

/**
 * Notes that somebody forgot a password. Whether there is such an account, and whether it has a proven
 * address, is looked into later: the answer and its time are the same for every name.
 */
export type ForgetPassword = (username: string, client: Client) => Promise<void>

export function makeForgetPassword({
  db,
  clock,
  outbox,
}: {
  db: Db
  clock: Clock
  outbox: Outbox
}): ForgetPassword {
  return (username, { ip }) =>
    db
      .transaction()
      .execute((trx) => outbox.put(trx, { kind: 'password_forgotten', username, at: clock.now(), ip }))
}

/** Makes the reset token and its mail, for an account with a proven address that did not just get one. */
export function makeAnswerForgotten({
  db,
  clock,
  keyedHash,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
}): AnswerForgotten {
  /** @returns where to send the token, `null` when none was made. */
  async function keepToken(trx: Trx, username: string, tokenHash: string): Promise<Account | null> {
    const found = await findAccountByUsername(trx, username)
    const account = found && (await lockAccount(trx, found.id))
    if (!account || account.disabled || !account.emailVerified) return null
    const now = clock.now()
    // Those of longer after now were made by a clock that was ahead.
    const ttlMs = TOKEN_TTL_SECONDS * 1000
    const made = await listPasswordResets(trx, account.id, now - ttlMs, now + ttlMs)
    const tooSoon = made.some((at) => at > now - COOL_DOWN_SECONDS * 1000)
    if (tooSoon || made.length >= MAX_MAILS) return null
    await voidPasswordResets(trx, account.id, now)
    const expiresAt = now + ttlMs
    await insertPasswordReset(trx, { tokenHash, accountId: account.id, createdAt: now, expiresAt })
    return account
  }

  return async ({ username, at, ip }) => {
    const token = newOpaqueToken()
    const tokenHash = keyedHash('reset token', token)
    const account = await db.transaction().execute((trx) => keepToken(trx, username, tokenHash))
    if (!account?.email) return null
    return {
      to: { name: '', address: account.email },
      letter: passwordReset({
        username: account.username,
        at,
        ip,
        token,
        minutes: TOKEN_TTL_SECONDS / 60,
      }),
      takeBack: () => db.transaction().execute((trx) => deletePasswordReset(trx, tokenHash)),
    }
  }
}
