import type { Trx } from '../platform/database.ts'

/** When a code was last sent to a new address of the account. */
export async function lastEmailChangeAt(trx: Trx, accountId: string): Promise<number | null> {
  const row = await trx
    .selectFrom('email_changes')
    .select('sent_at')
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row?.sent_at ?? null
}

/** Stores the address that is to be proven. A code that was sent earlier is void. */
export async function putEmailChange(
  trx: Trx,
  change: { accountId: string; address: string; codeHash: string; sentAt: number; expiresAt: number },
): Promise<void> {
  const values = {
    address: change.address,
    code_hash: change.codeHash,
    wrong_codes: 0,
    sent_at: change.sentAt,
    expires_at: change.expiresAt,
  }
  await trx
    .insertInto('email_changes')
    .values({ account_id: change.accountId, ...values })
    .onConflict((conflict) => conflict.column('account_id').doUpdateSet(values))
    .execute()
}

/**
 * Counts an attempt.
 *
 * @returns the change while it can be answered.
 */
export async function tryEmailChange(
  trx: Trx,
  accountId: string,
  now: number,
  maxWrongCodes: number,
): Promise<{ address: string; codeHash: string } | undefined> {
  const row = await trx
    .updateTable('email_changes')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where('account_id', '=', accountId)
    .where('expires_at', '>', now)
    .where('wrong_codes', '<', maxWrongCodes)
    .returning(['address', 'code_hash'])
    .executeTakeFirst()
  return row && { address: row.address, codeHash: row.code_hash }
}

export async function deleteEmailChange(trx: Trx, accountId: string, codeHash: string): Promise<void> {
  await trx
    .deleteFrom('email_changes')
    .where('account_id', '=', accountId)
    .where('code_hash', '=', codeHash)
    .execute()
}
