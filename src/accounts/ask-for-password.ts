import type { AuditTrail } from '../audit/trail.ts'
import { emailUnavailable, mailedTooOften } from '../errors.ts'
import type { AnswerForgotten, Outbox } from '../mail/outbox.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Account } from './account.ts'
import { COOL_DOWN_SECONDS } from './forgotten-password.ts'

/**
 * Mails the owner a token that sets a new password, at the request of the people who run the service: they learn
 * neither the token nor the password. It is the same token, under the same limits, as the owner could ask for.
 *
 * @throws {AppError} email_unavailable without a mail server, a proven address or an open account; rate_limited
 */
export type AskForPassword = (account: Account, client: Client) => Promise<void>

/** @param answerForgotten `null` when the service has no mail server. */
export function makeAskForPassword({
  db,
  clock,
  outbox,
  answerForgotten,
  trail,
}: {
  db: Db
  clock: Clock
  outbox: Outbox
  answerForgotten: AnswerForgotten | null
  trail: AuditTrail
}): AskForPassword {
  return async (account, client) => {
    if (!answerForgotten || !account.emailVerified || account.disabled) throw emailUnavailable()
    const { username } = account
    const mail = await answerForgotten({ username, at: clock.now(), ip: client.ip })
    if (!mail) throw mailedTooOften(COOL_DOWN_SECONDS)
    await db.transaction().execute(async (trx) => {
      await outbox.put(trx, { kind: 'letter', to: mail.to, letter: mail.letter })
      await trail.record(trx, 'password_reset_requested', { account }, client)
    })
  }
}
