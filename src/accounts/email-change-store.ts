import type { ExpressionBuilder } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import type { Tables } from '../platform/tables.ts'
import type { EmailChangesTable } from './tables.ts'

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
export async function putEmailChange(trx: Trx, row: Omit<EmailChangesTable, 'wrong_codes'>): Promise<void> {
  const change = { ...row, wrong_codes: 0 }
  await trx
    .insertInto('email_changes')
    .values(change)
    .onConflict((conflict) => conflict.column('account_id').doUpdateSet(change))
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
): Promise<Pick<EmailChangesTable, 'address' | 'code_hash' | 'session_id'> | undefined> {
  return trx
    .updateTable('email_changes')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where('account_id', '=', accountId)
    .where('expires_at', '>', now)
    .where('wrong_codes', '<', maxWrongCodes)
    .returning(['address', 'code_hash', 'session_id'])
    .executeTakeFirst()
}

/** The change that the link belongs to, while it is good: a code that was sent later voids it. */
const linkIsGood = (tokenHash: string, now: number) => (eb: ExpressionBuilder<Tables, 'email_changes'>) =>
  eb.and([
    eb('token_hash', '=', tokenHash),
    eb('token_sent_at', '=', eb.ref('sent_at')),
    eb('expires_at', '>', now),
  ])

/** The account that a link is for, and the session that asked for it, while the link is good. */
export async function findEmailChange(
  db: Db,
  tokenHash: string,
  now: number,
): Promise<{ account_id: string; session_id: string | null } | undefined> {
  return db
    .selectFrom('email_changes')
    .select(['account_id', 'session_id'])
    .where(linkIsGood(tokenHash, now))
    .executeTakeFirst()
}

/** Uses up the link, and the code with it. @returns the address that it proves, for the first who asks. */
export async function takeEmailChange(trx: Trx, tokenHash: string, now: number): Promise<string | undefined> {
  const row = await trx
    .deleteFrom('email_changes')
    .where(linkIsGood(tokenHash, now))
    .returning('address')
    .executeTakeFirst()
  return row?.address
}

/** @param codeHash of the one to delete; without it, whatever is under way. */
export async function deleteEmailChange(trx: Trx, accountId: string, codeHash?: string): Promise<void> {
  const change = trx.deleteFrom('email_changes').where('account_id', '=', accountId)
  await (codeHash === undefined ? change : change.where('code_hash', '=', codeHash)).execute()
}
