import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newOpaqueToken } from '../crypto/opaque-token.ts'
import type { AnswerForgotten, Outbox } from '../mail/outbox.ts'
import { passwordReset } from '../mail/templates/codes.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Account } from './account.ts'
import { insertPasswordReset, listPasswordResets, voidPasswordResets } from './password-reset-store.ts'
import { findAccountByUsername } from './store.ts'

const TOKEN_TTL_SECONDS = 3600
const COOL_DOWN_SECONDS = 60
/** Mails in an hour to one account, whoever asks. */
const MAX_MAILS = 5

/**
 * Notes that somebody forgot a password. Whether there is such an account, and whether it has a proven
 * address, is looked into later: the answer and its time are the same for every name.
 */
export type ForgetPassword = (username: string) => Promise<void>

export function makeForgetPassword({ db, outbox }: { db: Db; outbox: Outbox }): ForgetPassword {
  return (username) =>
    db.transaction().execute((trx) => outbox.put(trx, { kind: 'password_forgotten', username }))
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
  async function newToken(account: Account): Promise<string | null> {
    const token = newOpaqueToken()
    return db.transaction().execute(async (trx) => {
      const now = clock.now()
      const made = await listPasswordResets(trx, account.id, now - TOKEN_TTL_SECONDS * 1000)
      const tooSoon = made.some((at) => at > now - COOL_DOWN_SECONDS * 1000)
      if (tooSoon || made.length >= MAX_MAILS) return null
      await voidPasswordResets(trx, account.id, now)
      await insertPasswordReset(trx, {
        tokenHash: keyedHash('reset token', token),
        accountId: account.id,
        createdAt: now,
        expiresAt: now + TOKEN_TTL_SECONDS * 1000,
      })
      return token
    })
  }

  return async (username) => {
    const account = await findAccountByUsername(db, username)
    if (!account || account.disabled || account.email === null || !account.emailVerified) return null
    const token = await newToken(account)
    if (token === null) return null
    return {
      to: { name: '', address: account.email },
      letter: passwordReset({ username: account.username, token, minutes: TOKEN_TTL_SECONDS / 60 }),
    }
  }
}
