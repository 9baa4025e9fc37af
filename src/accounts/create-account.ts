import type { AuditTrail } from '../audit/trail.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { usernameTaken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Account } from './account.ts'
import type { CheckPassword } from './password-rules.ts'
import { findAccountByUsername, insertAccount } from './store.ts'

export interface NewAccount {
  username: string
  password: string
  email?: string
  /** Whether somebody stands for it that the address is the owner's. */
  emailVerified?: boolean
}

/**
 * Makes an account. What follows from it happens in the same transaction.
 *
 * @throws {AppError} username_taken, password_rejected, overloaded
 */
export type CreateAccount = <T>(
  account: NewAccount,
  client: Client,
  proceed: (trx: Trx, account: Account) => Promise<T>,
) => Promise<T>

export function makeCreateAccount({
  db,
  clock,
  checkPassword,
  passwords,
  trail,
}: {
  db: Db
  clock: Clock
  checkPassword: CheckPassword
  passwords: PasswordHasher
  trail: AuditTrail
}): CreateAccount {
  return async ({ username, password, email, emailVerified = false }, client, proceed) => {
    checkPassword(password, username)
    // A look before the costly hash; the insert below is what decides.
    if (await findAccountByUsername(db, username)) throw usernameTaken()
    const passwordHash = await passwords.hash(password, client.signal)

    return db.transaction().execute(async (trx) => {
      const now = clock.now()
      const account = await insertAccount(trx, {
        id: newId(clock),
        username,
        email: email ?? null,
        emailVerifiedAt: emailVerified ? now : null,
        passwordHash,
        createdAt: now,
      })
      if (!account) throw usernameTaken()
      await trail.record(trx, client.operator ? 'account_created' : 'account_registered', { account }, client)
      return proceed(trx, account)
    })
  }
}
