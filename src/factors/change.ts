import type { Account } from '../accounts/account.ts'
import type { AccountPrincipal } from '../api/principal.ts'
import { insufficientUserAuthentication, invalidToken } from '../errors.ts'
import { DAY_MS } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { isPhishingResistant, reaches } from '../tokens/assurance.ts'
import type { SignedIn } from '../tokens/session.ts'
import { stillSignedIn } from '../tokens/signed-in.ts'
import type { AccountFactors } from './factors.ts'
import { factorTooNew, passkeyNeeded } from './problems.ts'
import type { FactorsRoom } from './room.ts'

/** What the holder of an account token changes, as it is now. */
export interface Changing extends SignedIn {
  known: AccountFactors
  /** What the account token stands for, which its session may have shown long before something else. */
  token: AccountPrincipal['claims']
}

type Room = Pick<FactorsRoom, 'accounts' | 'clock' | 'factors' | 'sessions'>

/** While the account has an older factor, what weighs most waits this long for a new one, in milliseconds. */
const NEW_FACTOR_WAITS_MS = DAY_MS

/**
 * Whether an account token is good for a change. It is asked before the body is read, and again in the transaction.
 *
 * @param account as it is now.
 * @throws {AppError} invalid_token when the account was changed since the token was made, which also uses the token up;
 * insufficient_user_authentication when the account has a better factor than was shown for it.
 */
export async function checkAccountToken(
  { factors }: Pick<FactorsRoom, 'factors'>,
  db: Db,
  account: Account,
  { acr, change_count }: AccountPrincipal['claims'],
): Promise<AccountFactors> {
  if (account.changeCount !== change_count)
    throw invalidToken('the account token is used, or the account was changed since it was made', 'used')
  const known = await factors.of(db, account)
  if (!reaches(acr, known.bestAcr)) throw insufficientUserAuthentication(known.bestAcr)
  return known
}

/**
 * For what only prepares a change, in its transaction: the token stays good for the change itself.
 *
 * @returns the account as it is now, locked.
 * @throws {AppError} invalid_token, insufficient_user_authentication
 */
export async function prepareChange(room: Room, trx: Trx, principal: AccountPrincipal): Promise<Changing> {
  const { account, session } = await stillSignedIn(room, trx, principal)
  const token = principal.claims
  return { account, session, known: await checkAccountToken(room, trx, account, token), token }
}

/**
 * Uses the account token up, in the transaction of the change.
 *
 * @returns the account as it is now, locked.
 * @throws {AppError} invalid_token, insufficient_user_authentication
 */
export async function beginChange(room: Room, trx: Trx, principal: AccountPrincipal): Promise<Changing> {
  const changing = await prepareChange(room, trx, principal)
  await useUp(room, trx, changing)
  return changing
}

/**
 * The session that changes has to show the password again before its next change: a step-up by a code alone brings no
 * other account token, also not by a code that this change has brought.
 *
 * @throws {AppError} invalid_token
 */
export async function useUp(
  { accounts, sessions }: Pick<Room, 'accounts' | 'sessions'>,
  trx: Trx,
  { account, session }: Changing,
): Promise<void> {
  if (!(await accounts.countChange(trx, account)))
    throw invalidToken('the account token was used by another request', 'used')
  await sessions.forgetPassword(trx, session)
}

/**
 * The same for what would take the account from its owner: new recovery codes, another address, the end of the account.
 * Removing or replacing a factor is checked where that is done (`refuseNewFactor`). A thief who has added a factor in a stolen session cannot do that with it for a day.
 *
 * @throws {AppError} invalid_token, insufficient_user_authentication (`reason: factor_too_new`)
 */
export async function beginGraveChange(room: Room, trx: Trx, principal: AccountPrincipal): Promise<Changing> {
  const changing = await prepareGraveChange(room, trx, principal)
  await useUp(room, trx, changing)
  return changing
}

/**
 * Whether such a change would be made; the token stays good.
 *
 * @throws {AppError} invalid_token, insufficient_user_authentication (`reason: factor_too_new`)
 */
export async function prepareGraveChange(
  room: Room,
  trx: Trx,
  principal: AccountPrincipal,
): Promise<Changing> {
  const changing = await prepareChange(room, trx, principal)
  refuseNewFactor(room, changing)
  return changing
}

/**
 * @param goingSince since when the account has had the factor that goes; where none goes, its oldest one counts.
 * @throws {AppError} insufficient_user_authentication (`reason: factor_too_new`)
 */
export function refuseNewFactor(
  { clock }: Pick<FactorsRoom, 'clock'>,
  { known, token: { factor_since: factorSince } }: Changing,
  goingSince: number | null = known.oldestSince,
): void {
  if (goingSince === null || goingSince >= factorSince) return
  if (factorSince > clock.now() - NEW_FACTOR_WAITS_MS) throw factorTooNew(known.bestAcr)
}

/**
 * A password and a code that were phished must not bind or remove what phishing does not reach, nor make the recovery
 * codes that could: while the account has such a factor, that takes one of its like, or a recovery code.
 *
 * @throws {AppError} insufficient_user_authentication, with `acr_values="phr"`
 */
export function refusePhishable({ known: { phishingResistant }, token: { amr } }: Changing): void {
  if (phishingResistant && !isPhishingResistant(amr) && !amr.includes('recovery')) throw passkeyNeeded()
}
