import { sql } from 'kysely'
import { type Db, type Trx, wroteOne } from '../../platform/database.ts'

/** A code is void after so many wrong passwords that came with it. */
const MAX_WRONG_PASSWORDS = 10

/** Whether a code is still good: it is unused and not void. */
export const isGood = () => sql<boolean>`used_at is null and wrong_passwords < ${MAX_WRONG_PASSWORDS}`

/** Replaces the recovery codes of the account; all earlier ones are void. */
export async function replaceRecoveryCodes(
  trx: Trx,
  accountId: string,
  codes: readonly { id: string; codeHash: string }[],
  now: number,
): Promise<void> {
  await trx.deleteFrom('recovery_codes').where('account_id', '=', accountId).execute()
  await trx
    .insertInto('recovery_codes')
    .values(
      codes.map(({ id, codeHash }) => ({
        id,
        account_id: accountId,
        code_hash: codeHash,
        created_at: now,
        used_at: null,
      })),
    )
    .execute()
}

/** @returns whether the account had this code unused, and this call used it. */
export async function redeemRecoveryCode(
  trx: Trx,
  accountId: string,
  codeHash: string,
  now: number,
): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('recovery_codes')
      .set({ used_at: now })
      .where('account_id', '=', accountId)
      .where('code_hash', '=', codeHash)
      .where(isGood()),
  )
}

/** @returns the id of the code of the account, if it is still good. */
export async function findRecoveryCode(
  db: Db,
  accountId: string,
  codeHash: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('recovery_codes')
    .select('id')
    .where('account_id', '=', accountId)
    .where('code_hash', '=', codeHash)
    .where(isGood())
    .executeTakeFirst()
  return row?.id
}

/**
 * Counts a password that came with the code as wrong, before it is hashed.
 *
 * @returns how many more the code allows; `undefined` when it was no longer good: it is void after ten.
 */
export async function countWrongPassword(trx: Trx, id: string): Promise<number | undefined> {
  const counted = await trx
    .updateTable('recovery_codes')
    .set((eb) => ({ wrong_passwords: eb('wrong_passwords', '+', 1) }))
    .where('id', '=', id)
    .where(isGood())
    .returning('wrong_passwords')
    .executeTakeFirst()
  return counted && MAX_WRONG_PASSWORDS - counted.wrong_passwords
}

/** Whether wrong passwords have made an unused code void. One that is looked at right now may be taken back yet. */
export async function isVoid(trx: Trx, id: string): Promise<boolean> {
  const code = trx.selectFrom('recovery_codes').select('id').where('id', '=', id).where('used_at', 'is', null)
  return (await code.where('wrong_passwords', '>=', MAX_WRONG_PASSWORDS).executeTakeFirst()) !== undefined
}

/** The password was right, or not looked at after all. */
export async function uncountWrongPassword(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('recovery_codes')
    .set((eb) => ({ wrong_passwords: eb('wrong_passwords', '-', 1) }))
    .where('id', '=', id)
    .execute()
}

export async function recoveryCodeStock(
  db: Db,
  accountId: string,
): Promise<{ remaining: number; generatedAt: number | null }> {
  const rows = await db
    .selectFrom('recovery_codes')
    .select(['created_at', isGood().as('good')])
    .where('account_id', '=', accountId)
    .execute()
  return {
    remaining: rows.filter(({ good }) => good).length,
    generatedAt: rows[0]?.created_at ?? null,
  }
}

export async function deleteRecoveryCodes(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('recovery_codes').where('account_id', '=', accountId).execute()
}
