import { accountsOf, type Db, type Trx } from '../platform/database.ts'

export async function putEnrolmentCodes(
  trx: Trx,
  codes: readonly { accountId: string; codeHash: string }[],
  { mailed, createdAt, expiresAt }: { mailed: boolean; createdAt: number; expiresAt: number },
): Promise<void> {
  if (codes.length === 0) return
  const rows = codes.map(({ accountId, codeHash }) => ({
    account_id: accountId,
    code_hash: codeHash,
    wrong_codes: 0,
    mailed: mailed ? 1 : 0,
    created_at: createdAt,
    expires_at: expiresAt,
    shown_by: null,
  }))
  await trx
    .insertInto('enrolment_codes')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('account_id').doUpdateSet((eb) => ({
        code_hash: eb.ref('excluded.code_hash'),
        wrong_codes: 0,
        mailed: mailed ? 1 : 0,
        created_at: createdAt,
        expires_at: expiresAt,
        shown_by: null,
      })),
    )
    .execute()
}

/** Which of these accounts need a code, also where it has expired. */
export async function owingAmong(db: Db, accountIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (accountIds.length === 0) return new Set()
  return accountsOf(
    db.selectFrom('enrolment_codes').select('account_id').where('account_id', 'in', accountIds),
  )
}

/**
 * Counts a try before the code is looked at.
 *
 * @returns the hash of the code; `undefined` when it has expired or was wrong too often.
 */
export async function tryEnrolmentCode(
  trx: Trx,
  accountId: string,
  now: number,
  maxWrong: number,
): Promise<string | undefined> {
  const row = await trx
    .updateTable('enrolment_codes')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where('account_id', '=', accountId)
    .where('expires_at', '>', now)
    .where('wrong_codes', '<', maxWrong)
    .returning('code_hash')
    .executeTakeFirst()
  return row?.code_hash
}

/** The account still needs one, and an operator can make another. */
export async function voidMailedEnrolmentCode(trx: Trx, accountId: string, now: number): Promise<void> {
  await trx
    .updateTable('enrolment_codes')
    .set({ expires_at: now })
    .where('account_id', '=', accountId)
    .where('mailed', '=', 1)
    .execute()
}

/** The try was right. @param challengeId the sign-in in which it was made. */
export async function keepShown(trx: Trx, accountId: string, challengeId: string): Promise<void> {
  await trx
    .updateTable('enrolment_codes')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '-', 1), shown_by: challengeId }))
    .where('account_id', '=', accountId)
    .where('wrong_codes', '>', 0)
    .execute()
}

/** Whether it was last shown in this sign-in. */
export async function wasShownBy(trx: Trx, accountId: string, challengeId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('enrolment_codes')
    .select('account_id')
    .where('account_id', '=', accountId)
    .where('shown_by', '=', challengeId)
    .executeTakeFirst()
  return row !== undefined
}

export async function deleteEnrolmentCode(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('enrolment_codes').where('account_id', '=', accountId).execute()
}
