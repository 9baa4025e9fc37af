import { accountsOf, type Db, type Trx, wroteOne } from '../../platform/database.ts'

/** When a code was last sent for this challenge. */
export async function lastEmailCodeAt(trx: Trx, challengeId: string): Promise<number | null> {
  const row = await trx
    .selectFrom('email_codes')
    .select('sent_at')
    .where('challenge_id', '=', challengeId)
    .executeTakeFirst()
  return row?.sent_at ?? null
}

/** Stores the code that answers the challenge from now on. An earlier code is void. */
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

/** The mail was not sent: the code is void, and another one may be requested at once. */
export async function takeBackEmailCode(trx: Trx, challengeId: string, codeHash: string): Promise<void> {
  await trx
    .deleteFrom('email_codes')
    .where('challenge_id', '=', challengeId)
    .where('code_hash', '=', codeHash)
    .execute()
}

/** @returns whether the code was that of the challenge, still valid, and used by this call. */
export async function useEmailCode(
  trx: Trx,
  challengeId: string,
  codeHash: string,
  now: number,
): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('email_codes')
      .set({ used_at: now })
      .where('challenge_id', '=', challengeId)
      .where('code_hash', '=', codeHash)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now),
  )
}

/** Makes codes by mail a factor of the account. */
export async function enrolMailedCodes(trx: Trx, accountId: string, now: number): Promise<void> {
  await trx
    .insertInto('mailed_code_factors')
    .values({ account_id: accountId, enrolled_at: now, password_by_mail_at: null, last_used_at: null })
    .onConflict((conflict) => conflict.column('account_id').doUpdateSet({ enrolled_at: now }))
    .execute()
}

/** A mailed code has signed the account in. */
export async function noteMailedCodeUse(trx: Trx, accountId: string, now: number): Promise<void> {
  await trx
    .updateTable('mailed_code_factors')
    .set({ last_used_at: now })
    .where('account_id', '=', accountId)
    .execute()
}

/** Codes by mail are no longer a factor of the account. */
export async function dropMailedCodes(trx: Trx, accountId: string): Promise<void> {
  await trx
    .updateTable('mailed_code_factors')
    .set({ enrolled_at: null, last_used_at: null })
    .where('account_id', '=', accountId)
    .execute()
}

/** A mailed token has set the password: codes by mail answer and enrol nothing until another factor is shown. */
export async function noteMailedPassword(trx: Trx, accountId: string, now: number): Promise<void> {
  await trx
    .insertInto('mailed_code_factors')
    .values({ account_id: accountId, enrolled_at: null, password_by_mail_at: now, last_used_at: null })
    .onConflict((conflict) => conflict.column('account_id').doUpdateSet({ password_by_mail_at: now }))
    .execute()
}

/** A factor other than the mailbox was shown. */
export async function trustMailbox(trx: Trx, accountId: string): Promise<void> {
  await trx
    .updateTable('mailed_code_factors')
    .set({ password_by_mail_at: null })
    .where('account_id', '=', accountId)
    .execute()
}

/** As its owner sees it: there is one of its kind at most, so the kind is its id. */
export async function describeMailedCodes(db: Db, accountId: string) {
  const { enrolled_at: createdAt, last_used_at: lastUsedAt } = await db
    .selectFrom('mailed_code_factors')
    .select(['enrolled_at', 'last_used_at'])
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  return { id: 'email', name: 'Codes by email', createdAt: createdAt ?? 0, lastUsedAt }
}

/** Which of these accounts have codes by mail as a factor. */
export async function enrolledAmong(db: Db, accountIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (accountIds.length === 0) return new Set()
  const factors = db
    .selectFrom('mailed_code_factors')
    .select('account_id')
    .where('enrolled_at', 'is not', null)
  return accountsOf(factors.where('account_id', 'in', accountIds))
}
