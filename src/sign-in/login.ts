import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { QueueFullError } from '../crypto/hash-queue.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { invalidCredentials } from '../errors.ts'
import type { Trx } from '../platform/database.ts'
import { isDatabaseFault } from '../platform/database-errors.ts'
import type { Client, Grant, Sessions } from '../tokens/sessions.ts'
import type { Factors, Method } from '../two-factor/factors.ts'
import type { Challenge, Challenges } from './challenges.ts'
import type { CheckCredentials, Credentials } from './credentials.ts'

/** What a right password opens: the way to the second factor or, where none is asked for, a session. */
export type LoginOutcome =
  | { account: Account; challenge: Challenge; enrolled: boolean; methods: Method[] }
  | Grant

/** @throws {AppError} invalid_credentials, too_many_attempts, overloaded */
export type Login = (credentials: Credentials, client: Client) => Promise<LoginOutcome>

export function makeLogin({
  accounts,
  passwords,
  checkCredentials,
  challenges,
  factors,
  sessions,
  mfaRequired,
}: {
  accounts: Accounts
  passwords: PasswordHasher
  checkCredentials: CheckCredentials
  challenges: Challenges
  factors: Factors
  sessions: Sessions
  /** Whether an account without a factor must enrol one before it gets an access token. */
  mfaRequired: boolean
}): Login {
  async function proceed(trx: Trx, checked: Account, client: Client): Promise<LoginOutcome> {
    // A password that was changed while its hash was computed opens nothing.
    const account = await accounts.lock(trx, checked.id)
    if (!account || account.disabled || account.passwordSetAt !== checked.passwordSetAt)
      throw invalidCredentials()
    const { enrolled, methods } = await factors.of(trx, account)
    if (enrolled || mfaRequired)
      return { account, challenge: await challenges.open(trx, account), enrolled, methods }
    return sessions.open(trx, account, ['pwd'], client)
  }

  /** The same password at today's cost. It is not owed today: what goes wrong with it is left to a later login. */
  async function rehash(account: Account, password: string, signal: AbortSignal | undefined): Promise<void> {
    if (passwords.full() || !passwords.needsRehash(account.passwordHash)) return
    try {
      await accounts.replacePasswordHash(account, await passwords.hash(password, signal))
    } catch (error) {
      if (!(error instanceof QueueFullError || isDatabaseFault(error))) throw error
    }
  }

  return async (credentials, client) => {
    const outcome = await checkCredentials(credentials, client, (trx, account) =>
      proceed(trx, account, client),
    )
    await rehash(outcome.account, credentials.password, client.signal)
    return outcome
  }
}
