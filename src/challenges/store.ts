import type { ExpressionBuilder } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { Tables } from '../platform/tables.ts'
import type { Challenge } from './challenge.ts'

export const newChallenge = prepared((db, param: Params<Challenge>) =>
  db.insertInto('challenges').values({
    id: param('id'),
    account_id: param('accountId'),
    created_at: param('createdAt'),
    expires_at: param('expiresAt'),
    wrong_codes: 0,
    consumed_at: null,
  }),
)

interface Answerable {
  id: string
  now: number
  maxAttempts: number
}

const isAnswerable = (param: Params<Answerable>) => (eb: ExpressionBuilder<Tables, 'challenges'>) =>
  eb.and([
    eb('id', '=', param('id')),
    eb('consumed_at', 'is', null),
    eb('expires_at', '>', param('now')),
    eb('wrong_codes', '<', param('maxAttempts')),
  ])

const liveChallenge = prepared((db, param: Params<Answerable>) =>
  db.selectFrom('challenges').selectAll().where(isAnswerable(param)),
)

export async function findLiveChallenge(db: Db, which: Answerable): Promise<Challenge | undefined> {
  const row = await liveChallenge.first(db, which)
  return (
    row && { id: row.id, accountId: row.account_id, createdAt: row.created_at, expiresAt: row.expires_at }
  )
}

/** The count including this attempt; none when the challenge cannot be answered any more. */
export const countedAnswer = prepared((db, param: Params<Answerable>) =>
  db
    .updateTable('challenges')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where(isAnswerable(param))
    .returning('wrong_codes'),
)

export async function uncountAttempt(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('challenges')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '-', 1) }))
    .where('id', '=', id)
    .where('wrong_codes', '>', 0)
    .execute()
}

export const consumed = prepared((db, param: Params<Answerable>) =>
  db
    .updateTable('challenges')
    .set({ consumed_at: param('now') })
    .where(isAnswerable(param)),
)

export async function deleteChallenges(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('challenges').where('account_id', '=', accountId).execute()
}
