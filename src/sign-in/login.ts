import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { usernameKey } from '../accounts/username.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { invalidCredentials } from '../errors.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Client, Grant, Sessions } from '../tokens/sessions.ts'
import type { Factors, Method } from '../two-factor/factors.ts'
import type { Challenge, Challenges } from './challenges.ts'
import { type FailureCounters, PASSWORD_POLICY } from './failure-counters.ts'
import { networkOf } from './network.ts'

/** What a right password opens: the way to the second factor or, where none is asked for, a session. */
export type LoginOutcome =
  | { account: Account; challenge: Challenge; enrolled: boolean; methods: Method[] }
  | Grant

/** @throws {AppError} invalid_credentials, too_many_attempts, overloaded */
export type Login = (
  credentials: { username: string; password: string },
  client: Client,
) => Promise<LoginOutcome>

export function makeLogin({
  db,
  accounts,
  passwords,
  keyedHash,
  failureCounters,
  challenges,
  factors,
  sessions,
  mfaRequired,
}: {
  db: Db
  accounts: Accounts
  passwords: PasswordHasher
  keyedHash: KeyedHash
  failureCounters: FailureCounters
  challenges: Challenges
  factors: Factors
  sessions: Sessions
  /** Whether an account without a factor must enrol one before it gets an access token. */
  mfaRequired: boolean
}): Login {
  async function rehash(account: Account, password: string, signal: AbortSignal | undefined): Promise<void> {
    if (passwords.needsRehash(account.passwordHash))
      await accounts.replacePasswordHash(account, await passwords.hash(password, signal))
  }

  async function proceed(trx: Trx, account: Account, client: Client): Promise<LoginOutcome> {
    const { enrolled, methods } = await factors.of(trx, account.id)
    if (enrolled || mfaRequired)
      return { account, challenge: await challenges.open(trx, account), enrolled, methods }
    return sessions.open(trx, account, ['pwd'], client)
  }

  async function findByPassword(
    username: string,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<Account | undefined> {
    const account = await accounts.byUsername(username)
    const matches = await passwords.verify(account?.passwordHash, password, signal)
    return account && matches && !account.disabled ? account : undefined
  }

  return async ({ username, password }, client) => {
    // Unknown names are counted like known ones, under a hash: the counter must not tell who has an account.
    const subject = keyedHash('sign-in subject', usernameKey(username), networkOf(client.ip))
    const inTransaction = <T>(work: (trx: Trx) => Promise<T>) => db.transaction().execute(work)

    await inTransaction((trx) => failureCounters.begin(trx, subject, 'password'))
    const account = await findByPassword(username, password, client.signal).catch(async (error) => {
      await inTransaction((trx) => failureCounters.takeBack(trx, subject, 'password'))
      throw error
    })
    if (!account) {
      await inTransaction((trx) => failureCounters.fail(trx, subject, 'password', PASSWORD_POLICY))
      throw invalidCredentials()
    }

    await rehash(account, password, client.signal)
    return inTransaction(async (trx) => {
      await failureCounters.succeed(trx, subject, 'password')
      return proceed(trx, account, client)
    })
  }
}
