import type { Db, Trx } from '../platform/database.ts'
import { prepared } from '../platform/prepared.ts'

/** An authenticator of an account: pending until a code confirms it, then active. */
export interface TotpFactor {
  id: string
  accountId: string
  state: 'pending' | 'active'
  sealedSecret: string
  lastUsedStep: number
  createdAt: number
  expiresAt: number | null
  confirmedAt: number | null
}

const factorsInTime = prepared((db, { accountId, now }: { accountId: string; now: number }) =>
  db
    .selectFrom('totp_factors')
    .selectAll()
    .where('account_id', '=', accountId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)])),
)

/** The active factor and the pending one, where there are such; an expired pending one is as good as gone. */
export async function findTotpFactors(
  db: Db,
  accountId: string,
  now: number,
): Promise<{ active?: TotpFactor; pending?: TotpFactor }> {
  const rows = await factorsInTime.all(db, { accountId, now })
  const factors: { active?: TotpFactor; pending?: TotpFactor } = {}
  for (const row of rows)
    factors[row.state] = {
      id: row.id,
      accountId: row.account_id,
      state: row.state,
      sealedSecret: row.sealed_secret,
      lastUsedStep: row.last_used_step,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      confirmedAt: row.confirmed_at,
    }
  return factors
}

const activeTotp = prepared((db, { accountId }: { accountId: string }) =>
  db
    .selectFrom('totp_factors')
    .select('id')
    .where('account_id', '=', accountId)
    .where('state', '=', 'active'),
)

export async function hasActiveTotp(db: Db, accountId: string): Promise<boolean> {
  return (await activeTotp.first(db, { accountId })) !== undefined
}

/** The new pending factor takes the place of the one before it. */
export async function putPendingTotpFactor(trx: Trx, factor: TotpFactor): Promise<void> {
  const values = {
    id: factor.id,
    sealed_secret: factor.sealedSecret,
    last_used_step: factor.lastUsedStep,
    created_at: factor.createdAt,
    expires_at: factor.expiresAt,
    confirmed_at: null,
  }
  await trx
    .insertInto('totp_factors')
    .values({ ...values, account_id: factor.accountId, state: 'pending' })
    .onConflict((conflict) => conflict.columns(['account_id', 'state']).doUpdateSet(values))
    .execute()
}

export async function insertActiveTotpFactors(
  trx: Trx,
  factors: readonly (Pick<TotpFactor, 'id' | 'accountId' | 'sealedSecret' | 'lastUsedStep' | 'createdAt'> & {
    confirmedAt: number
  })[],
): Promise<void> {
  await trx
    .insertInto('totp_factors')
    .values(
      factors.map((factor) => ({
        id: factor.id,
        account_id: factor.accountId,
        state: 'active' as const,
        sealed_secret: factor.sealedSecret,
        last_used_step: factor.lastUsedStep,
        created_at: factor.createdAt,
        expires_at: null,
        confirmed_at: factor.confirmedAt,
      })),
    )
    .execute()
}

/**
 * Makes a pending factor the active one, its confirming time step spent.
 *
 * @returns whether the factor was still pending.
 */
export async function activateTotpFactor(
  trx: Trx,
  factor: TotpFactor,
  step: number,
  now: number,
): Promise<boolean> {
  await trx
    .deleteFrom('totp_factors')
    .where('account_id', '=', factor.accountId)
    .where('state', '=', 'active')
    .execute()
  const { numUpdatedRows } = await trx
    .updateTable('totp_factors')
    .set({ state: 'active', confirmed_at: now, expires_at: null, last_used_step: step })
    .where('id', '=', factor.id)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

const spent = prepared((db, { factorId, step }: { factorId: string; step: number }) =>
  db
    .updateTable('totp_factors')
    .set({ last_used_step: step })
    .where('id', '=', factorId)
    .where('state', '=', 'active')
    .where('last_used_step', '<', step),
)

/** @returns whether this call was the one that spent the time step. */
export async function spendTimeStep(trx: Trx, factorId: string, step: number): Promise<boolean> {
  return (await spent.run(trx, { factorId, step })) === 1
}

/** The account's recovery codes from now on; all before them are void. */
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

/** @returns whether there was such an unused code of this account, and this call was the one that used it. */
export async function redeemRecoveryCode(
  trx: Trx,
  accountId: string,
  codeHash: string,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('recovery_codes')
    .set({ used_at: now })
    .where('account_id', '=', accountId)
    .where('code_hash', '=', codeHash)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows === 1n
}

const unusedRecoveryCode = prepared((db, { accountId }: { accountId: string }) =>
  db
    .selectFrom('recovery_codes')
    .select('id')
    .where('account_id', '=', accountId)
    .where('used_at', 'is', null)
    .limit(1),
)

export async function hasUnusedRecoveryCode(db: Db, accountId: string): Promise<boolean> {
  return (await unusedRecoveryCode.first(db, { accountId })) !== undefined
}

export async function recoveryCodeStock(
  db: Db,
  accountId: string,
): Promise<{ remaining: number; generatedAt: number | null }> {
  const rows = await db
    .selectFrom('recovery_codes')
    .select(['created_at', 'used_at'])
    .where('account_id', '=', accountId)
    .execute()
  return {
    remaining: rows.filter((row) => row.used_at === null).length,
    generatedAt: rows[0]?.created_at ?? null,
  }
}

/** Takes the authenticators and recovery codes from an account. */
export async function deleteFactors(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('totp_factors').where('account_id', '=', accountId).execute()
  await trx.deleteFrom('recovery_codes').where('account_id', '=', accountId).execute()
}
