import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { usernameKey } from '../accounts/username.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { invalidCredentials } from '../errors.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import { type FailureCounters, PASSWORD_POLICY } from './failure-counters.ts'
import { networkOf } from './network.ts'

export interface Credentials {
  username: string
  password: string
}

/**
 * Checks a password against guessing: each try is counted before it is evaluated, unknown names like known
 * ones and with the same work. What a right password leads to happens in the transaction that takes the
 * count back.
 *
 * @throws {AppError} invalid_credentials, too_many_attempts, overloaded
 */
export type CheckCredentials = <T>(
  credentials: Credentials,
  client: Client,
  proceed: (trx: Trx, account: Account) => Promise<T>,
) => Promise<T>

export function makeCheckCredentials({
  db,
  accounts,
  passwords,
  keyedHash,
  failureCounters,
  trail,
}: {
  db: Db
  accounts: Accounts
  passwords: PasswordHasher
  keyedHash: KeyedHash
  failureCounters: FailureCounters
  trail: AuditTrail
}): CheckCredentials {
  return async ({ username, password }, client, proceed) => {
    // Under a hash: the counter must not tell who has an account here.
    const subject = keyedHash('sign-in subject', usernameKey(username), networkOf(client.ip))
    const inTransaction = <T>(work: (trx: Trx) => Promise<T>) => db.transaction().execute(work)

    await inTransaction((trx) => failureCounters.begin(trx, subject, 'password'))
    const account = await accounts.byUsername(username)
    const matches = await passwords
      .verify(account?.passwordHash, password, client.signal)
      .catch(async (error) => {
        await inTransaction((trx) => failureCounters.takeBack(trx, subject, 'password'))
        throw error
      })

    if (!account || !matches || account.disabled) {
      await inTransaction(async (trx) => {
        const about = { account, method: 'password' }
        await trail.record(trx, 'login_failed', about, client)
        if (await failureCounters.fail(trx, subject, 'password', PASSWORD_POLICY))
          await trail.record(trx, 'attempts_paused', about, client)
      })
      throw invalidCredentials()
    }
    return inTransaction(async (trx) => {
      await failureCounters.succeed(trx, subject, 'password')
      await trail.record(trx, 'login_succeeded', { account, method: 'password' }, client)
      return proceed(trx, account)
    })
  }
}
