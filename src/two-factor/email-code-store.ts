import type { Trx } from '../platform/database.ts'

/** When a code was last sent for this challenge. */
export async function lastEmailCodeAt(trx: Trx, challengeId: string): Promise<number | null> {
  const row = await trx
    .selectFrom('email_codes')
    .select('sent_at')
    .where('challenge_id', '=', challengeId)
    .executeTakeFirst()
  return row?.sent_at ?? null
}

/** The code that answers the challenge from now on; one sent before is void. */
export async function putEmailCode(
  trx: Trx,
  code: { challengeId: string; accountId: string; codeHash: string; sentAt: number; expiresAt: number },
): Promise<void> {
  const values = { code_hash: code.codeHash, sent_at: code.sentAt, expires_at: code.expiresAt, used_at: null }
  await trx
    .insertInto('email_codes')
    .values({ challenge_id: code.challengeId, account_id: code.accountId, ...values })
    .onConflict((conflict) => conflict.column('challenge_id').doUpdateSet(values))
    .execute()
}

/** The mail did not go out: its code is void, and the next one may be asked for at once. */
export async function takeBackEmailCode(trx: Trx, challengeId: string, codeHash: string): Promise<void> {
  await trx
    .deleteFrom('email_codes')
    .where('challenge_id', '=', challengeId)
    .where('code_hash', '=', codeHash)
    .execute()
}

/** @returns whether this was the challenge's code, still good, and this call used it. */
export async function useEmailCode(
  trx: Trx,
  challengeId: string,
  codeHash: string,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('email_codes')
    .set({ used_at: now })
    .where('challenge_id', '=', challengeId)
    .where('code_hash', '=', codeHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}
