import type { Caller } from '../caller.ts'
import { inTransaction } from '../platform/database.ts'
import type { Account } from './account.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'
import * as store from './store.ts'

/**
 * Closes an account: no sign-in works until it is opened again. Its sessions, pending sign-ins and resets end, and
 * opening the account does not bring them back.
 *
 * @returns whether it was open.
 */
export async function closeAccount(
  { challenges, clock, db, sessions, trail }: AccountsRoom,
  account: Account,
  caller: Caller,
): Promise<boolean> {
  await sessions.endSurplus(account, caller)
  return inTransaction(db, async (trx) => {
    if (!(await store.closeAccount(trx, account.id, clock.now()))) return false
    await challenges.endAll(trx, account.id)
    await sessions.endAll(trx, account.id)
    await voidPasswordResets(trx, account.id, clock.now())
    await trail.record(trx, 'account_disabled', { account }, caller)
    return true
  })
}

/** @returns whether it was closed. */
export async function openAccount(
  { db, trail }: AccountsRoom,
  account: Account,
  caller: Caller,
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    if (!(await store.openAccount(trx, account.id))) return false
    await trail.record(trx, 'account_enabled', { account }, caller)
    return true
  })
}
