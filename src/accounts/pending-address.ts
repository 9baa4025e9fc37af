import type { Db } from '../platform/database.ts'

/** The address that the owner of an account has yet to prove. */
export async function pendingAddressOf(db: Db, accountId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('email_changes')
    .select('address')
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row?.address
}
