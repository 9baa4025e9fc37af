import type { ExpressionBuilder } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { Tables } from '../platform/tables.ts'
import type { Challenge } from './challenge.ts'

const newChallenge = prepared((db, param: Params<Challenge>) =>
  db.insertInto('challenges').values({
    id: param('id'),
    account_id: param('accountId'),
    created_at: param('createdAt'),
    expires_at: param('expiresAt'),
    wrong_codes: 0,
    consumed_at: null,
  }),
)

export async function insertChallenge(trx: Trx, challenge: Challenge): Promise<void> {
  await newChallenge.run(trx, challenge)
}

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

const countedAnswer = prepared((db, param: Params<Answerable>) =>
  db
    .updateTable('challenges')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where(isAnswerable(param))
    .returning('wrong_codes'),
)

/** @returns the count including this attempt; `undefined` when the challenge cannot be answered any more. */
export async function countAttempt(trx: Trx, which: Answerable): Promise<number | undefined> {
  return (await countedAnswer.first(trx, which))?.wrong_codes
}

export async function uncountAttempt(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('challenges')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '-', 1) }))
    .where('id', '=', id)
    .where('wrong_codes', '>', 0)
    .execute()
}

const consumed = prepared((db, param: Params<Answerable>) =>
  db
    .updateTable('challenges')
    .set({ consumed_at: param('now') })
    .where(isAnswerable(param)),
)

/** @returns whether this call consumed it. */
export async function consumeChallenge(trx: Trx, which: Answerable): Promise<boolean> {
  return consumed.wroteOne(trx, which)
}

export async function deleteChallenges(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('challenges').where('account_id', '=', accountId).execute()
}
