import { type Db, type Trx, wroteOne } from '../../platform/database.ts'
import { type Params, prepared } from '../../platform/prepared.ts'
import type { SpentSteps } from './code.ts'

/** Of an authenticator that its owner has not named. */
export const DEFAULT_NAME = 'Authenticator'

/** An authenticator of an account: pending until a code confirms it, then active. Times are epoch milliseconds. */
export interface TotpFactor extends SpentSteps {
  id: string
  accountId: string
  name: string
  sealedSecret: string
  createdAt: number
  confirmedAt: number | null
  lastUsedAt: number | null
}

/** One that waits for its first code. */
export interface PendingTotpFactor extends TotpFactor {
  /** The challenge or session that began it. */
  begunBy: string
  /** The one that it takes the place of. */
  replaces: string | null
  expiresAt: number
}

const factorsInTime = prepared((db, param: Params<{ accountId: string; now: number }>) =>
  db
    .selectFrom('totp_factors')
    .selectAll()
    .where('account_id', '=', param('accountId'))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', param('now'))])),
)
type Row = Awaited<ReturnType<typeof factorsInTime.all>>[number]

const factorIn = (row: Row): TotpFactor => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  sealedSecret: row.sealed_secret,
  lastUsedStep: row.last_used_step,
  otherSteps: row.other_steps.split(' ').filter(Boolean).map(Number),
  createdAt: row.created_at,
  confirmedAt: row.confirmed_at,
  lastUsedAt: row.last_used_at,
})

export interface TotpFactors {
  active: TotpFactor[]
  /** `tried` of those for which a wrong code was sent. */
  pending: (PendingTotpFactor & { tried: boolean })[]
}

/**
 * The authenticators of an account, the oldest first.
 *
 * @param now epoch milliseconds: a pending one that has expired is as good as gone.
 */
export async function findTotpFactors(db: Db, accountId: string, now: number): Promise<TotpFactors> {
  const rows = await factorsInTime.all(db, { accountId, now })
  // Ids sort by time. For `order by` SQLite makes a tree of its own, which takes longer than the rest of the statement.
  rows.sort((one, other) => (one.id < other.id ? -1 : 1))
  return {
    active: rows.filter(({ state }) => state === 'active').map(factorIn),
    pending: rows
      .filter(({ state }) => state === 'pending')
      .map((row) => ({
        ...factorIn(row),
        begunBy: row.begun_by ?? '',
        replaces: row.replaces,
        expiresAt: row.expires_at ?? 0,
        tried: row.tried === 1,
      })),
  }
}

export async function insertPendingTotpFactor(trx: Trx, factor: PendingTotpFactor): Promise<void> {
  await trx
    .insertInto('totp_factors')
    .values({
      ...valuesOf(factor),
      state: 'pending',
      expires_at: factor.expiresAt,
      begun_by: factor.begunBy,
      replaces: factor.replaces,
    })
    .execute()
}

export async function insertActiveTotpFactors(trx: Trx, factors: readonly TotpFactor[]): Promise<void> {
  const rest = { state: 'active' as const, expires_at: null, begun_by: null, replaces: null }
  await trx
    .insertInto('totp_factors')
    .values(factors.map((factor) => ({ ...valuesOf(factor), ...rest })))
    .execute()
}

const valuesOf = (factor: TotpFactor) => ({
  id: factor.id,
  account_id: factor.accountId,
  name: factor.name,
  sealed_secret: factor.sealedSecret,
  last_used_step: factor.lastUsedStep,
  other_steps: factor.otherSteps.join(' '),
  created_at: factor.createdAt,
  confirmed_at: factor.confirmedAt,
})

/** Since when the account has it, in epoch milliseconds. */
export const sinceOf = ({ confirmedAt, createdAt }: TotpFactor): number => confirmedAt ?? createdAt

/** Another answer to the same request for a pending one: its name and what it replaces may differ. */
export async function updatePending(
  trx: Trx,
  { id, name, replaces }: Pick<PendingTotpFactor, 'id' | 'name' | 'replaces'>,
): Promise<void> {
  await trx.updateTable('totp_factors').set({ name, replaces }).where('id', '=', id).execute()
}

export async function noteWrongCode(trx: Trx, id: string): Promise<void> {
  await trx.updateTable('totp_factors').set({ tried: 1 }).where('id', '=', id).execute()
}

/**
 * Makes a pending authenticator an active one and spends the time step of the code that confirmed it. All others that
 * are pending go.
 *
 * @returns whether it was still pending.
 */
export async function activateTotpFactor(
  trx: Trx,
  factor: TotpFactor,
  step: number,
  now: number,
): Promise<boolean> {
  const activated = await wroteOne(
    trx
      .updateTable('totp_factors')
      .set({ state: 'active', confirmed_at: now, expires_at: null, begun_by: null, replaces: null })
      .set({ last_used_step: step, last_used_at: now })
      .where('id', '=', factor.id)
      .where('state', '=', 'pending'),
  )
  await trx
    .deleteFrom('totp_factors')
    .where('account_id', '=', factor.accountId)
    .where('state', '=', 'pending')
    .execute()
  return activated
}

interface Spending {
  id: string
  lastUsedStep: number
  otherSteps: string
  knownLast: number
  knownOthers: string
  now: number
}

const spent = prepared((db, param: Params<Spending>) =>
  db
    .updateTable('totp_factors')
    .set({
      last_used_step: param('lastUsedStep'),
      other_steps: param('otherSteps'),
      last_used_at: param('now'),
    })
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
  now: number,
): Promise<boolean> {
  return spent.wroteOne(trx, {
    id: known.id,
    lastUsedStep: after.lastUsedStep,
    otherSteps: after.otherSteps.join(' '),
    knownLast: known.lastUsedStep,
    knownOthers: known.otherSteps.join(' '),
    now,
  })
}

/** Removes an authenticator of an account; all of them without an id, also pending ones. */
export async function deleteTotpFactors(
  trx: Trx,
  accountId: string,
  _now?: number,
  id?: string,
): Promise<void> {
  await trx
    .deleteFrom('totp_factors')
    .where('account_id', '=', accountId)
    .$if(id !== undefined, (query) => query.where('id', '=', id as string))
    .execute()
}

export async function renameTotpFactor(trx: Trx, accountId: string, id: string, name: string): Promise<void> {
  await trx
    .updateTable('totp_factors')
    .set({ name })
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .execute()
}

/** The sealed secrets of the active authenticators of these accounts, the oldest first. */
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
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ id: row.id, accountId: row.account_id, sealedSecret: row.sealed_secret }))
}
