import type { AuditTrail } from '../audit/trail.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { registrationClosed, usernameTaken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Challenge, Challenges } from '../sign-in/challenges.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Factors, Method } from '../two-factor/factors.ts'
import type { Account } from './account.ts'
import type { CheckPassword } from './password-rules.ts'
import { findAccountByUsername, insertAccount } from './store.ts'

export interface Registration {
  username: string
  password: string
  email?: string
}

/**
 * Makes an account and, since its password has just been given, the challenge for its second factor.
 *
 * @throws {AppError} registration_closed, username_taken, password_rejected
 */
export type Register = (
  registration: Registration,
  client: Client,
) => Promise<{ account: Account; challenge: Challenge; methods: Method[] }>

export function makeRegister({
  db,
  clock,
  open,
  checkPassword,
  passwords,
  challenges,
  factors,
  trail,
}: {
  db: Db
  clock: Clock
  /** Whether strangers may make accounts. */
  open: boolean
  checkPassword: CheckPassword
  passwords: PasswordHasher
  challenges: Challenges
  factors: Factors
  trail: AuditTrail
}): Register {
  return async ({ username, password, email }, client) => {
    if (!open) throw registrationClosed()
    checkPassword(password, username)
    // A look before the costly hash; the insert below is what decides.
    if (await findAccountByUsername(db, username)) throw usernameTaken()
    const passwordHash = await passwords.hash(password, client.signal)

    return db.transaction().execute(async (trx) => {
      const account = await insertAccount(trx, {
        id: newId(clock),
        username,
        email: email ?? null,
        passwordHash,
        createdAt: clock.now(),
      })
      if (!account) throw usernameTaken()
      await trail.record(trx, 'account_registered', { account }, client)
      // Asked here, too: an account that was made must not be answered with an error.
      const { methods } = await factors.of(trx, account)
      return { account, challenge: await challenges.open(trx, account), methods }
    })
  }
}
