import type { AccountPrincipal } from '../api/principal.ts'
import { ADDRESS_POLICY } from '../attempts/policies.ts'
import type { Caller } from '../caller.ts'
import { newNumericCode } from '../crypto/numeric-code.ts'
import { typedCode } from '../crypto/typed-code.ts'
import { invalidCode } from '../errors.ts'
import { beginGraveChange } from '../factors/change.ts'
import { addressProven } from '../factors/hooks.ts'
import { refuseInCoolDown } from '../mail/cool-down.ts'
import { emailDeliveryFailed, emailUnavailable } from '../mail/problems.ts'
import { addressCode } from '../mail/templates/codes.ts'
import { rfc3339 } from '../platform/clock.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import type { SignedIn } from '../tokens/session.ts'
import { stillSignedIn } from '../tokens/signed-in.ts'
import type { Account } from './account.ts'
import { deleteEmailChange, lastEmailChangeAt, putEmailChange, tryEmailChange } from './email-change-store.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'
import { replaceEmail } from './store.ts'

const CODE_TTL_SECONDS = 600
/** For one code. The counter of the account runs on over all its codes. */
const MAX_ATTEMPTS = 5
const FACTOR = 'new address'
/** Its name in events and metrics. */
export const NEW_ADDRESS = 'new_address'

// The new address replaces the old one when the code that was sent to it comes back, and not before.

/**
 * Sends a code to the new address. The account token is used up here, also when the mail cannot be sent: the code needs
 * an access token only.
 *
 * @throws {AppError} invalid_token, insufficient_user_authentication, email_unavailable, rate_limited, email_delivery_failed
 */
export async function beginEmailChange(
  room: AccountsRoom,
  principal: AccountPrincipal,
  address: string,
  caller: Caller,
): Promise<void> {
  const { accounts, allowance, clock, db, sendLetter, trail } = room
  if (!sendLetter) throw emailUnavailable()
  const { account } = principal
  const code = newNumericCode()
  const codeHash = hashCode(room, account.id, address, code)
  await inTransaction(db, async (trx) => {
    await beginGraveChange(room, trx, principal)
    const now = clock.now()
    refuseInCoolDown(await lastEmailChangeAt(trx, account.id), now)
    await allowance.take(trx, account, address)
    await putEmailChange(trx, {
      account_id: account.id,
      address,
      code_hash: codeHash,
      sent_at: now,
      expires_at: now + CODE_TTL_SECONDS * 1000,
    })
    await trail.record(trx, 'email_change_requested', { account }, caller)
  })
  try {
    const about = { at: clock.now(), ip: caller.ip }
    await sendLetter(address, addressCode({ ...about, code, minutes: CODE_TTL_SECONDS / 60 }))
  } catch (error) {
    await inTransaction(db, async (trx) => {
      await accounts.lock(trx, account.id)
      await deleteEmailChange(trx, account.id, codeHash)
      await allowance.giveBack(trx, account, address, error)
    })
    throw emailDeliveryFailed(error)
  }
}

/**
 * Proves the new address by the code that was sent to it. Every other session ends.
 *
 * @throws {AppError} invalid_code, too_many_attempts
 */
export async function proveEmail(
  room: AccountsRoom,
  signedIn: SignedIn,
  code: string,
  caller: Caller,
): Promise<{ account: Account; enrolled: boolean }> {
  const { clock, db, factors, sessions } = room
  await sessions.endSurplus(signedIn.account, caller, signedIn.session.id)
  const changed = await inTransaction(db, async (trx) => {
    const account = await replaceByCode(room, trx, signedIn, code, caller)
    return account && { account, enrolled: (await factors.of(trx, account)).enrolled }
  })
  if (!changed) throw invalidCode(rfc3339(clock.now()))
  return changed
}

/** @returns `null` when the code is wrong. The transaction must commit then, or the count would be lost. */
async function replaceByCode(
  room: AccountsRoom,
  trx: Trx,
  signedIn: SignedIn,
  code: string,
  caller: Caller,
): Promise<Account | null> {
  const { accounts, attempts, clock, sessions, trail } = room
  const { account } = await stillSignedIn(room, trx, signedIn)
  const about = { account, method: NEW_ADDRESS }
  const now = clock.now()
  const begun = await attempts.begin(trx, account.id, FACTOR, ADDRESS_POLICY)
  const change = await tryEmailChange(trx, account.id, now, MAX_ATTEMPTS)
  if (!change) {
    // There is nothing to guess: it must not count against the next code, and leaves no row.
    await attempts.takeBack(trx, account.id, FACTOR, begun)
    return null
  }
  if (change.code_hash !== hashCode(room, account.id, change.address, code)) {
    await trail.record(trx, 'code_rejected', about, caller)
    if (await attempts.fail(trx, account.id, FACTOR, ADDRESS_POLICY))
      await trail.record(trx, 'attempts_paused', about, caller)
    return null
  }
  await attempts.succeed(trx, account.id, FACTOR)
  await trail.record(trx, 'code_accepted', about, caller)
  await deleteEmailChange(trx, account.id, change.code_hash)
  const changed = await replaceEmail(trx, account.id, change.address, now)
  await addressProven(room, trx, changed, caller)
  if (account.email !== change.address) {
    // The account has left the old mailbox, so tokens that were mailed there must not reset the password.
    await voidPasswordResets(trx, account.id, now)
    await trail.record(trx, 'email_changed', { account, alsoTo: [change.address] }, caller)
  }
  await accounts.countChange(trx, account)
  await sessions.endOthers(trx, signedIn, caller)
  return changed
}

function hashCode({ keyedHash }: AccountsRoom, accountId: string, address: string, code: string): string {
  return keyedHash('email code', accountId, address, typedCode(code))
}
