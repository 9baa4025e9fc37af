import type { AccountPrincipal } from '../api/principal.ts'
import { ADDRESS_POLICY } from '../attempts/policies.ts'
import type { Caller } from '../caller.ts'
import { newNumericCode, newOpaqueToken, typedCode } from '../crypto/codes.ts'
import { invalidCode, invalidToken } from '../errors.ts'
import { beginGraveChange } from '../factors/change.ts'
import { addressProven } from '../factors/hooks.ts'
import { COOL_DOWN_SECONDS, refuseInCoolDown } from '../mail/cool-down.ts'
import { emailDeliveryFailed, emailUnavailable } from '../mail/problems.ts'
import { addressCode } from '../mail/templates/codes.ts'
import { rfc3339 } from '../platform/clock.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { linkWith } from '../platform/link.ts'
import { mayArrive } from '../platform/mail-error.ts'
import type { SignedIn } from '../tokens/session.ts'
import { findSignedIn, stillSignedIn } from '../tokens/signed-in.ts'
import type { Account } from './account.ts'
import {
  deleteEmailChange,
  findEmailChange,
  lastEmailChangeAt,
  putEmailChange,
  takeEmailChange,
  tryEmailChange,
} from './email-change-store.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'
import { replaceEmail } from './store.ts'

const CODE_TTL_SECONDS = 600
/** For one code. The counter of the account runs on over all its codes. */
const MAX_ATTEMPTS = 5
const FACTOR = 'new address'
/** Under what the token of a link is hashed. */
const LINK = 'address token'
/** Its name in events and metrics. */
export const NEW_ADDRESS = 'new_address'

// The new address replaces the old one when the code that was sent to it comes back, or the token of its link, and not
// before.

/**
 * Sends a code to the new address, and a link where the service has one. The account token is used up here, also when
 * the mail cannot be sent: the code needs an access token only.
 *
 * @throws {AppError} invalid_token, insufficient_user_authentication, email_unavailable, rate_limited, email_delivery_failed
 */
export async function beginEmailChange(
  room: AccountsRoom,
  principal: AccountPrincipal,
  address: string,
  caller: Caller,
): Promise<void> {
  const { accounts, allowance, clock, db, keyedHash, sendLetter, trail, verifyUrl } = room
  if (!sendLetter) throw emailUnavailable()
  const { account, session } = principal
  const code = newNumericCode()
  const token = newOpaqueToken()
  const link = linkWith(verifyUrl, token)
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
      token_hash: link ? keyedHash(LINK, token) : null,
      token_sent_at: link ? now : null,
      session_id: session.id,
    })
    await trail.record(trx, 'email_change_requested', { account }, caller)
  })
  try {
    const about = { at: clock.now(), ip: caller.ip }
    await sendLetter(address, addressCode({ ...about, code, link, minutes: CODE_TTL_SECONDS / 60 }))
  } catch (error) {
    if (mayArrive(error)) throw emailDeliveryFailed(error, COOL_DOWN_SECONDS)
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
  const { attempts, clock, trail } = room
  const { account } = await stillSignedIn(room, trx, signedIn)
  const about = { account, method: NEW_ADDRESS }
  const now = clock.now()
  const begun = await attempts.begin(trx, account.id, FACTOR, ADDRESS_POLICY)
  const change = await tryEmailChange(trx, account.id, now, MAX_ATTEMPTS)
  // As the link, it is good while the session that asked for it lives. An earlier version has not noted which it was.
  const asked = change?.session_id ?? signedIn.session.id
  if (!change || !(await room.sessions.find(trx, asked))) {
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
  const changed = await replaceAddress(room, trx, account, change.address, caller)
  await room.sessions.endOthers(trx, { account, session: signedIn.session }, caller)
  return changed
}

/**
 * Proves the new address by the token of the link, which takes no access token: who reads the mailbox may do so on
 * another device. It is good while the session that asked for it lives, and no longer: a thief who has begun a change
 * loses the link with the session, as well as the code. Every other session ends.
 *
 * @returns the address.
 * @throws {AppError} invalid_token
 */
export async function proveEmailByLink(room: AccountsRoom, token: string, caller: Caller): Promise<string> {
  const { clock, db, keyedHash, sessions, trail } = room
  const tokenHash = keyedHash(LINK, token)
  const change = await findEmailChange(db, tokenHash, clock.now())
  if (!change) throw noSuchLink()
  const signedIn = await findSignedIn(room, { sid: change.session_id ?? '', sub: change.account_id })
  await sessions.endSurplus(signedIn.account, caller, signedIn.session.id)

  return inTransaction(db, async (trx) => {
    const present = await stillSignedIn(room, trx, signedIn)
    const address = await takeEmailChange(trx, tokenHash, clock.now())
    if (address === undefined) throw noSuchLink()
    const about = { account: present.account, method: NEW_ADDRESS }
    await trail.record(trx, 'code_accepted', about, caller)
    await replaceAddress(room, trx, present.account, address, caller)
    await sessions.endOthers(trx, present, caller)
    return address
  })
}

const noSuchLink = () => invalidToken('the token of the link is unknown, expired or used')

/** Sets the proven address. Account tokens, and tokens that were mailed to the old one, are void; sessions go on. */
export async function replaceAddress(
  room: AccountsRoom,
  trx: Trx,
  account: Account,
  address: string,
  caller: Caller,
): Promise<Account> {
  const { accounts, clock, trail } = room
  const now = clock.now()
  const changed = await replaceEmail(trx, account.id, address, now)
  await addressProven(room, trx, changed, caller)
  if (account.email !== address || caller.by === 'operator') {
    // The account has left the old mailbox, so tokens that were mailed there must not reset the password.
    await voidPasswordResets(trx, account.id, now)
    await trail.record(trx, 'email_changed', { account, alsoTo: [address] }, caller)
  }
  await accounts.countChange(trx, account)
  return changed
}

function hashCode({ keyedHash }: AccountsRoom, accountId: string, address: string, code: string): string {
  return keyedHash('email code', accountId, address, typedCode(code))
}
