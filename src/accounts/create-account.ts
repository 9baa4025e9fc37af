import type { Caller } from '../caller.ts'
import { usernameTaken } from '../errors.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Account } from './account.ts'
import type { AccountsRoom } from './room.ts'
import { findAccountByUsername, insertAccount } from './store.ts'

export interface NewAccount {
  username: string
  password: string
  email?: string
  /** Whether an operator confirms that the address belongs to the owner. */
  emailVerified?: boolean
}

/**
 * Makes an account. The follow-up work runs in the same transaction.
 *
 * @throws {AppError} username_taken, password_rejected, overloaded
 */
export async function createAccount<T>(
  { checkPassword, clock, db, mfaRequired, passwords, trail }: AccountsRoom,
  { username, password, email, emailVerified = false }: NewAccount,
  caller: Caller,
  proceed: (trx: Trx, account: Account) => Promise<T>,
): Promise<T> {
  checkPassword(password, username)
  // Saves a costly hash for a taken name. The insert below decides.
  if (await findAccountByUsername(db, username)) throw usernameTaken()
  const passwordHash = await passwords.hash(password, caller)

  return inTransaction(db, async (trx) => {
    const now = clock.now()
    const account = await insertAccount(trx, {
      id: newId(clock),
      username,
      email: email ?? null,
      emailVerifiedAt: emailVerified ? now : null,
      passwordHash,
      createdAt: now,
      unenrolledSince: mfaRequired && caller.by === 'person' ? now : null,
    })
    if (!account) throw usernameTaken()
    const event = caller.by === 'operator' ? 'account_created' : 'account_registered'
    await trail.record(trx, event, { account }, caller)
    return proceed(trx, account)
  })
}
