import type { Db, Trx } from '../../platform/database.ts'
import { type Params, prepared } from '../../platform/prepared.ts'
import { wroteOne } from '../../platform/wrote-one.ts'
import type { SpentSteps } from './code.ts'

/** An authenticator of an account: pending until a code confirms it, then active. */
export interface TotpFactor extends SpentSteps {
  id: string
  accountId: string
  state: 'pending' | 'active'
  sealedSecret: string
  createdAt: number
  expiresAt: number | null
  confirmedAt: number | null
}

const factorsInTime = prepared((db, param: Params<{ accountId: string; now: number }>) =>
  db
    .selectFrom('totp_factors')
    .selectAll()
    .where('account_id', '=', param('accountId'))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', param('now'))])),
)

/**
 * The active factor and the pending one, if there are any.
 *
 * @param now epoch milliseconds: a pending one that has expired is as good as gone.
 */
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
      otherSteps: row.other_steps.split(' ').filter(Boolean).map(Number),
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      confirmedAt: row.confirmed_at,
    }
  return factors
}

/** Stores a new pending factor in place of an earlier one. */
export async function putPendingTotpFactor(trx: Trx, factor: TotpFactor): Promise<void> {
  const values = {
    id: factor.id,
    sealed_secret: factor.sealedSecret,
    last_used_step: factor.lastUsedStep,
    other_steps: factor.otherSteps.join(' '),
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
        other_steps: '',
        created_at: factor.createdAt,
        expires_at: null,
        confirmed_at: factor.confirmedAt,
      })),
    )
    .execute()
}

/**
 * Makes a pending factor the active one and spends the time step of the code that confirmed it.
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
  return wroteOne(
    trx
      .updateTable('totp_factors')
      .set({ state: 'active', confirmed_at: now, expires_at: null, last_used_step: step })
      .where('id', '=', factor.id)
      .where('state', '=', 'pending'),
  )
}

interface Spending {
  id: string
  lastUsedStep: number
  otherSteps: string
  knownLast: number
  knownOthers: string
}

const spent = prepared((db, param: Params<Spending>) =>
  db
    .updateTable('totp_factors')
    .set({ last_used_step: param('lastUsedStep'), other_steps: param('otherSteps') })
    .where('id', '=', param('id'))
    .where('state', '=', 'active')
    .where('last_used_step', '=', param('knownLast'))
    .where('other_steps', '=', param('knownOthers')),
)

/**
 * Writes down that a step is spent, unless another request has spent one meanwhile.
 *
 * @param known what was spent when the code was looked at.
 * @param after what is spent with it.
 * @returns whether this call was the one that spent the time step.
 */
export async function spendTimeStep(
  trx: Trx,
  known: Pick<TotpFactor, 'id' | keyof SpentSteps>,
  after: SpentSteps,
): Promise<boolean> {
  return spent.wroteOne(trx, {
    id: known.id,
    lastUsedStep: after.lastUsedStep,
    otherSteps: after.otherSteps.join(' '),
    knownLast: known.lastUsedStep,
    knownOthers: known.otherSteps.join(' '),
  })
}

/** Removes the authenticators of an account, also pending ones. */
export async function deleteTotpFactors(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('totp_factors').where('account_id', '=', accountId).execute()
}

/** When the active authenticator was confirmed, in epoch milliseconds; `undefined` when there is none. */
export async function totpConfirmedAt(db: Db, accountId: string): Promise<number | null | undefined> {
  const row = await db
    .selectFrom('totp_factors')
    .select('confirmed_at')
    .where('account_id', '=', accountId)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return row?.confirmed_at
}

/** The sealed secrets of the active authenticators of these accounts. */
export async function activeTotpSecrets(
  db: Db,
  accountIds: readonly string[],
): Promise<{ id: string; accountId: string; sealedSecret: string }[]> {
  if (accountIds.length === 0) return []
  const rows = await db
    .selectFrom('totp_factors')
    .select(['id', 'account_id', 'sealed_secret'])
    .where('account_id', 'in', accountIds)
    .where('state', '=', 'active')
    .execute()
  return rows.map((row) => ({ id: row.id, accountId: row.account_id, sealedSecret: row.sealed_secret }))
}
