import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { usernameKey } from '../accounts/username.ts'
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
}: {
  db: Db
  accounts: Accounts
  passwords: PasswordHasher
  keyedHash: KeyedHash
  failureCounters: FailureCounters
}): CheckCredentials {
  async function find({ username, password }: Credentials, client: Client): Promise<Account | undefined> {
    const account = await accounts.byUsername(username)
    const matches = await passwords.verify(account?.passwordHash, password, client.signal)
    return account && matches && !account.disabled ? account : undefined
  }

  return async (credentials, client, proceed) => {
    // Under a hash: the counter must not tell who has an account here.
    const subject = keyedHash('sign-in subject', usernameKey(credentials.username), networkOf(client.ip))
    const inTransaction = <T>(work: (trx: Trx) => Promise<T>) => db.transaction().execute(work)

    await inTransaction((trx) => failureCounters.begin(trx, subject, 'password'))
    const account = await find(credentials, client).catch(async (error) => {
      await inTransaction((trx) => failureCounters.takeBack(trx, subject, 'password'))
      throw error
    })
    if (!account) {
      await inTransaction((trx) => failureCounters.fail(trx, subject, 'password', PASSWORD_POLICY))
      throw invalidCredentials()
    }
    return inTransaction(async (trx) => {
      await failureCounters.succeed(trx, subject, 'password')
      return proceed(trx, account)
    })
  }
}
