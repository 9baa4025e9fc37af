import type { Expression, Selectable } from 'kysely'
import { type Db, type Trx, wroteOne } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { Session } from './session.ts'
import type { SessionsTable } from './tables.ts'

type NewSession = Omit<Session, 'amr'> & { amr: string; othersAllowed: number }

const begunSession = prepared((db, param: Params<NewSession>) =>
  db
    .insertInto('sessions')
    .values({
      id: param('id'),
      account_id: param('accountId'),
      amr: param('amr'),
      acr: param('acr'),
      auth_time: param('authTime'),
      password_at: param('passwordAt'),
      factor_at: param('factorAt'),
      factor_since: param('factorSince'),
      created_at: param('createdAt'),
      last_used_at: param('lastUsedAt'),
      idle_expires_at: param('idleExpiresAt'),
      expires_at: param('expiresAt'),
      ended_at: null,
      refresh_repeated_at: param('refreshRepeatedAt'),
      ip: param('ip'),
      user_agent: param('userAgent'),
      refreshes_since: param('refreshesSince'),
      refreshes: param('refreshes'),
    })
    .returning(
      // Without the new one itself, which SQLite would see here and PostgreSQL not.
      liveSessions(db, param('createdAt'))
        .clearSelect()
        .select('id')
        .where('account_id', '=', param('accountId'))
        .where('id', '!=', param('id'))
        .orderBy('last_used_at', 'desc')
        .orderBy('id', 'desc')
        .limit(1)
        .offset(param('othersAllowed'))
        .as('surplus'),
    ),
)

/**
 * @param maxSessions live ones of the account, with this one.
 * @returns whether there are more now.
 */
export async function insertSession(trx: Trx, session: Session, maxSessions: number): Promise<boolean> {
  const values = { ...session, amr: session.amr.join(' '), othersAllowed: maxSessions - 1 }
  return (await begunSession.first(trx, values))?.surplus != null
}

export function liveSessions(db: Db, now: number | Expression<number>) {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '>', now)
}

const liveSession = prepared((db, param: Params<{ id: string; now: number }>) =>
  liveSessions(db, param('now')).where('id', '=', param('id')),
)

export async function findLiveSession(db: Db, id: string, now: number): Promise<Session | undefined> {
  const row = await liveSession.first(db, { id, now })
  return row && sessionFromRow(row)
}

/** Where a page of sessions begins: after the one that was last used then, with that id. */
export type AfterSession = Pick<Session, 'lastUsedAt' | 'id'>

/** The live sessions of an account, the one used last first. */
export async function listLiveSessions(
  db: Db,
  accountId: string,
  now: number,
  { after, limit }: { after?: AfterSession; limit?: number } = {},
): Promise<Session[]> {
  let sessions = liveSessions(db, now).where('account_id', '=', accountId)
  if (limit !== undefined) sessions = sessions.limit(limit)
  if (after)
    sessions = sessions.where((eb) =>
      eb.or([
        eb('last_used_at', '<', after.lastUsedAt),
        eb.and([eb('last_used_at', '=', after.lastUsedAt), eb('id', '<', after.id)]),
      ]),
    )
  const rows = await sessions.orderBy('last_used_at', 'desc').orderBy('id', 'desc').execute()
  return rows.map(sessionFromRow)
}

function sessionFromRow(row: Selectable<SessionsTable>): Session {
  return {
    id: row.id,
    accountId: row.account_id,
    amr: row.amr.split(' ').filter(Boolean),
    acr: row.acr,
    authTime: row.auth_time,
    passwordAt: row.password_at,
    factorAt: row.factor_at,
    factorSince: row.factor_since,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
    refreshRepeatedAt: row.refresh_repeated_at,
    ip: row.ip,
    userAgent: row.user_agent,
    refreshesSince: row.refreshes_since,
    refreshes: row.refreshes,
  }
}

/** @returns whether the session was still live. */
export async function proveSession(trx: Trx, session: Session): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('sessions')
      .set({
        amr: session.amr.join(' '),
        acr: session.acr,
        auth_time: session.authTime,
        password_at: session.passwordAt,
        factor_at: session.factorAt,
        factor_since: session.factorSince,
        step_up_attempts: 0,
      })
      .where('id', '=', session.id)
      .where('ended_at', 'is', null),
  )
}

/** @returns whether the session had fewer attempts than so many; a right one sets them back to zero. */
export async function countStepUp(trx: Trx, id: string, max: number): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('sessions')
      .set((eb) => ({ step_up_attempts: eb('step_up_attempts', '+', 1) }))
      .where('id', '=', id)
      .where('step_up_attempts', '<', max),
  )
}

export async function uncountStepUp(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('sessions')
    .set((eb) => ({ step_up_attempts: eb('step_up_attempts', '-', 1) }))
    .where('id', '=', id)
    .where('step_up_attempts', '>', 0)
    .execute()
}

export async function forgetPassword(trx: Trx, id: string): Promise<void> {
  await trx.updateTable('sessions').set({ password_at: null }).where('id', '=', id).execute()
}

type Touch = Pick<
  Session,
  'id' | 'lastUsedAt' | 'idleExpiresAt' | 'ip' | 'userAgent' | 'refreshesSince' | 'refreshes'
>

/** A use of the session: when, from where, and its new idle end. */
export const touched = prepared((db, param: Params<Touch>) =>
  db
    .updateTable('sessions')
    .set({
      last_used_at: param('lastUsedAt'),
      idle_expires_at: param('idleExpiresAt'),
      ip: param('ip'),
      user_agent: param('userAgent'),
      refreshes_since: param('refreshesSince'),
      refreshes: param('refreshes'),
    })
    .where('id', '=', param('id')),
)

/** Records that a refresh of the session was answered again. */
export async function noteRepeatedRefresh(trx: Trx, id: string, now: number): Promise<void> {
  await trx.updateTable('sessions').set({ refresh_repeated_at: now }).where('id', '=', id).execute()
}

/** @returns whether this call ended it. */
export async function endSession(trx: Trx, id: string, accountId: string, now: number): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('sessions')
      .set({ ended_at: now })
      .where('id', '=', id)
      .where('account_id', '=', accountId)
      .where('ended_at', 'is', null)
      .where('idle_expires_at', '>', now),
  )
}

function endSessionsOf(trx: Trx, accountId: string, now: number) {
  return trx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
}

export async function endAllSessions(trx: Trx, accountId: string, now: number): Promise<void> {
  await endSessionsOf(trx, accountId, now).execute()
}

/** @returns whether there was one. */
export async function endOtherSessions(
  trx: Trx,
  accountId: string,
  keptId: string,
  now: number,
): Promise<boolean> {
  const ending = endSessionsOf(trx, accountId, now).where('id', '!=', keptId)
  return (await ending.executeTakeFirstOrThrow()).numUpdatedRows > 0n
}
