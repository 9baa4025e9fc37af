import type { Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'

/** The password came by mail, and no factor was shown since. */
export class PasswordCameByMail extends Error {
  override readonly name = 'PasswordCameByMail'
}

/**
 * Before the mailbox of an account gets an enrolment code, in the transaction that makes it: it must not have set the
 * password, and reset tokens that lie in it are void.
 *
 * @throws {PasswordCameByMail}
 */
export async function partMailboxFromPassword(
  { clock, factors }: Pick<AccountsRoom, 'clock' | 'factors'>,
  trx: Trx,
  account: Account,
): Promise<void> {
  const { passwordByMail } = (await factors.of(trx, account)).facts(factors.named('email'))
  if (passwordByMail) throw new PasswordCameByMail()
  await voidPasswordResets(trx, account.id, clock.now())
}
