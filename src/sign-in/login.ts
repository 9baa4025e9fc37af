import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { Challenge } from '../challenges/challenge.ts'
import { QueueFullError } from '../crypto/hash-queue.ts'
import { invalidCredentials } from '../errors.ts'
import type { Trx } from '../platform/database.ts'
import { isDatabaseFault } from '../platform/database-errors.ts'
import { together } from '../platform/together.ts'
import { passwordAlone } from '../tokens/assurance.ts'
import type { SignIn } from '../tokens/session.ts'
import { type Credentials, checkCredentials } from './credentials.ts'
import type { SignInRoom } from './room.ts'

/** The result of a right password: the step to the second factor, or a session where no second factor is asked for. */
export type LoginOutcome =
  | {
      account: Account
      challenge: Challenge
      enrolled: boolean
      owesEnrolmentCode: boolean
      methods: string[]
    }
  | SignIn

/** @throws {AppError} invalid_credentials, too_many_attempts, overloaded */
export async function login(
  room: SignInRoom,
  credentials: Credentials,
  caller: Caller,
): Promise<LoginOutcome> {
  const outcome = await checkCredentials(room, credentials, caller, (trx, checked) =>
    beginSignIn(room, trx, checked.id, lockUnchanged(room, trx, checked), caller),
  )
  await rehash(room, outcome.account, credentials.password, caller)
  return outcome
}

/** A password that was changed while its hash was computed does not sign in. */
async function lockUnchanged({ accounts }: SignInRoom, trx: Trx, checked: Account): Promise<Account> {
  const account = await accounts.lock(trx, checked.id)
  if (!account || account.disabled || account.passwordSetAt !== checked.passwordSetAt)
    throw invalidCredentials()
  return account
}

/**
 * What follows a right password: the step to the second factor, or a session.
 *
 * @param lockedAccount is locked in this transaction, perhaps only now, or was made in it.
 */
export async function beginSignIn(
  {
    challenges,
    clock,
    factors,
    mfaRequired,
    sessions,
  }: Pick<SignInRoom, 'challenges' | 'clock' | 'factors' | 'mfaRequired' | 'sessions'>,
  trx: Trx,
  accountId: string,
  lockedAccount: Account | Promise<Account>,
  caller: Caller,
): Promise<LoginOutcome> {
  const [account, factsOf, methodsOf] = await together(
    lockedAccount,
    factors.read(trx, accountId),
    factors.methods(trx, accountId),
  )
  const known = factsOf(account)
  const { enrolled, owesEnrolmentCode } = known
  if (!enrolled && !mfaRequired && !owesEnrolmentCode) {
    const grant = await sessions.open(trx, account, passwordAlone(clock.now()), caller)
    return { ...grant, mayChangeAccount: true }
  }
  const challenge = await challenges.open(trx, account)
  return { account, challenge, enrolled, owesEnrolmentCode, methods: methodsOf(known) }
}

/** Hashes the same password at the current cost. This is best effort: a later login tries again. */
async function rehash(
  { accounts, passwords }: SignInRoom,
  account: Account,
  password: string,
  caller: Caller,
): Promise<void> {
  if (passwords.full() || !passwords.needsRehash(account.passwordHash, password)) return
  try {
    await accounts.replacePasswordHash(account, await passwords.hash(password, caller))
  } catch (error) {
    if (!(error instanceof QueueFullError || isDatabaseFault(error))) throw error
  }
}
