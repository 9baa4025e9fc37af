import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import { invalidCredentials } from '../errors.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import {
  type BegunTry,
  type FailureCounters,
  PASSWORD_POLICY,
  type PausePolicy,
  STRANGERS_POLICY,
} from './failure-counters.ts'
import { makeSignInSubjects } from './subjects.ts'

const FACTOR = 'password'

export interface Credentials {
  username: string
  password: string
}

/**
 * Checks a password against guessing: each try that has a place in the hash queue is counted before it is evaluated,
 * unknown names like known ones and with the same work, and is evaluated only if those before it in the queue have
 * not brought a pause. What a right password leads to happens in the transaction that takes the count back.
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
  const signInSubjects = makeSignInSubjects(keyedHash)

  return async ({ username, password }, client, proceed) => {
    const inTransaction = <T>(work: (trx: Trx) => Promise<T>) => db.transaction().execute(work)
    const attempt = makeAttempt(username, client)

    let found: Account | undefined
    let begun = false
    const find = async () => {
      await inTransaction((trx) => attempt.begin(trx))
      begun = true
      found = await accounts.byUsername(username)
      return found?.passwordHash
    }
    const matches = await passwords
      .verify(find, password, { signal: client.signal, turn: () => attempt.stillOpen() })
      .catch(async (error) => {
        if (begun) await inTransaction((trx) => attempt.takeBack(trx))
        throw error
      })

    const account = found as Account | undefined
    if (!account || !matches || account.disabled) {
      await inTransaction(async (trx) => {
        const about = { account, method: 'password' }
        await trail.record(trx, 'password_refused', about, client)
        if (await attempt.fail(trx)) await trail.record(trx, 'attempts_paused', about, client)
      })
      throw invalidCredentials()
    }
    return inTransaction(async (trx) => {
      await attempt.succeed(trx)
      await trail.record(trx, 'password_accepted', { account, method: 'password' }, client)
      return proceed(trx, account)
    })
  }

  /**
   * Counts for the name from this network and, unless its password was once right from there, for the name from
   * all such networks together: many strangers share one budget, and cannot use up the owner's at home.
   */
  function makeAttempt(username: string, client: Client) {
    const hashNames = () => ({
      here: { subject: signInSubjects.from(username, client.ip), policy: PASSWORD_POLICY },
      anywhere: { subject: signInSubjects.anywhere(username), policy: STRANGERS_POLICY },
    })
    let hashed: ReturnType<typeof hashNames> | undefined
    // Once for each try, and not for one that has no place in the queue.
    const budgets = () => (hashed ??= hashNames())
    const counted: { subject: string; policy: PausePolicy; begun: BegunTry }[] = []

    async function count(trx: Trx, { subject, policy }: { subject: string; policy: PausePolicy }) {
      const begun = await failureCounters.begin(trx, subject, FACTOR, policy)
      counted.push({ subject, policy, begun })
      return begun
    }

    return {
      async begin(trx: Trx): Promise<void> {
        // A transaction that is repeated begins anew.
        counted.length = 0
        const { here, anywhere } = budgets()
        const { everSucceeded } = await count(trx, here)
        if (!everSucceeded) await count(trx, anywhere)
      },
      async stillOpen(): Promise<void> {
        for (const { subject, policy, begun } of counted)
          await failureCounters.stillOpen(db, subject, FACTOR, policy, begun)
      },
      async fail(trx: Trx): Promise<boolean> {
        let paused = false
        for (const { subject, policy } of counted)
          if (await failureCounters.fail(trx, subject, FACTOR, policy)) paused = true
        return paused
      },
      async takeBack(trx: Trx): Promise<void> {
        for (const { subject, begun } of counted) await failureCounters.takeBack(trx, subject, FACTOR, begun)
      },
      async succeed(trx: Trx): Promise<void> {
        const { here, anywhere } = budgets()
        await failureCounters.succeed(trx, here.subject, FACTOR)
        await failureCounters.succeed(trx, anywhere.subject, FACTOR)
      },
    }
  }
}
