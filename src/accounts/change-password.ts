import type { AuditTrail } from '../audit/trail.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { invalidCredentials } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Challenges } from '../sign-in/challenges.ts'
import type { CheckCredentials } from '../sign-in/credentials.ts'
import type { Client, Sessions, SignedIn } from '../tokens/sessions.ts'
import type { StillSignedIn } from '../tokens/signed-in.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import type { CheckPassword } from './password-rules.ts'
import { replacePassword } from './store.ts'

/**
 * Sets a new password for somebody who knows the old one. Every other session ends, and so does every sign-in
 * and every reset under way.
 *
 * @throws {AppError} invalid_credentials, invalid_token, password_rejected, too_many_attempts, overloaded
 */
export type ChangePassword = (
  signedIn: SignedIn,
  passwords: { current: string; next: string },
  client: Client,
) => Promise<void>

export function makeChangePassword({
  db,
  clock,
  checkPassword,
  checkCredentials,
  passwords,
  challenges,
  sessions,
  stillSignedIn,
  trail,
}: {
  db: Db
  clock: Clock
  checkPassword: CheckPassword
  checkCredentials: CheckCredentials
  passwords: PasswordHasher
  challenges: Challenges
  sessions: Sessions
  stillSignedIn: StillSignedIn
  trail: AuditTrail
}): ChangePassword {
  return async ({ account, session }, { current, next }, client) => {
    checkPassword(next, account.username, 'new_password')
    await checkCredentials({ username: account.username, password: current }, client, async () => {})
    const passwordHash = await passwords.hash(next, client.signal)

    await db.transaction().execute(async (trx) => {
      await stillSignedIn(trx, { account, session })
      const replaced = await replacePassword(
        trx,
        account.id,
        passwordHash,
        clock.now(),
        account.passwordSetAt,
      )
      if (!replaced) throw invalidCredentials()
      await voidPasswordResets(trx, account.id, clock.now())
      await challenges.endAll(trx, account.id)
      await sessions.endOthers(trx, { account, session }, client)
      await trail.record(trx, 'password_changed', { account }, client)
    })
  }
}
