import type { Caller } from '../caller.ts'
import { COOL_DOWN_SECONDS } from '../mail/cool-down.ts'
import { emailUnavailable, mailedTooOften } from '../mail/problems.ts'
import { inTransaction } from '../platform/database.ts'
import type { Account } from './account.ts'
import type { AccountsRoom } from './room.ts'

/**
 * Mails the owner a token that sets a new password. An operator asks for it and learns neither the token nor the
 * password. The token is the one that the owner could ask for, under the same limits.
 *
 * @throws {AppError} email_unavailable without a mail server, a proven address or an open account; rate_limited
 */
export async function askForPassword(
  { answerForgotten, clock, db, outbox, trail }: AccountsRoom,
  account: Account,
  caller: Caller,
): Promise<void> {
  if (!answerForgotten || !account.emailVerified || account.disabled) throw emailUnavailable()
  const mail = await answerForgotten(account.id, { at: clock.now(), ip: caller.ip })
  if (!mail) throw mailedTooOften(COOL_DOWN_SECONDS)
  await inTransaction(db, async (trx) => {
    await outbox.put(trx, { kind: 'letter', to: mail.to, letter: mail.letter })
    await trail.record(trx, 'password_reset_requested', { account }, caller)
  })
}
