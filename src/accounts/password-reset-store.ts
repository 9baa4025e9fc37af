import { type Db, type Trx, wroteOne } from '../platform/database.ts'

/** When reset tokens were made for the account between two times. */
export async function listPasswordResets(
  trx: Trx,
  accountId: string,
  since: number,
  until: number,
): Promise<number[]> {
  const rows = await trx
    .selectFrom('password_resets')
    .select('created_at')
    .where('account_id', '=', accountId)
    .where('created_at', '>', since)
    .where('created_at', '<=', until)
    .execute()
  return rows.map((row) => row.created_at)
}

export async function insertPasswordReset(
  trx: Trx,
  reset: { tokenHash: string; accountId: string; createdAt: number; expiresAt: number },
): Promise<void> {
  await trx
    .insertInto('password_resets')
    .values({
      token_hash: reset.tokenHash,
      account_id: reset.accountId,
      created_at: reset.createdAt,
      expires_at: reset.expiresAt,
      used_at: null,
    })
    .execute()
}

export async function findPasswordReset(db: Db, tokenHash: string, now: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('password_resets')
    .select('account_id')
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row?.account_id
}

/** @returns whether the token was still valid and this call used it. */
export async function usePasswordReset(trx: Trx, tokenHash: string, now: number): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('password_resets')
      .set({ used_at: now })
      .where('token_hash', '=', tokenHash)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now),
  )
}

export async function deletePasswordReset(trx: Trx, tokenHash: string): Promise<void> {
  await trx.deleteFrom('password_resets').where('token_hash', '=', tokenHash).execute()
}

/** Voids the other tokens of the account: a newer one was requested, or one was used. */
export async function voidPasswordResets(trx: Trx, accountId: string, now: number): Promise<void> {
  await trx
    .updateTable('password_resets')
    .set({ used_at: now })
    .where('account_id', '=', accountId)
    .where('used_at', 'is', null)
    .execute()
}
