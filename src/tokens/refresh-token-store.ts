import type { Selectable } from 'kysely'
import { type Db, type Trx, wroteOne } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { RefreshTokensTable } from './tables.ts'

interface NewRefreshToken {
  tokenHash: string
  sessionId: string
  createdAt: number
  expiresAt: number
}

export const newRefreshToken = prepared((db, param: Params<NewRefreshToken>) =>
  db.insertInto('refresh_tokens').values({
    token_hash: param('tokenHash'),
    session_id: param('sessionId'),
    created_at: param('createdAt'),
    expires_at: param('expiresAt'),
    rotated_at: null,
    repeated_at: null,
    idempotency_key_hash: null,
  }),
)

/** How a refresh token is used: when, and with which `Idempotency-Key`. */
interface Rotation {
  tokenHash: string
  idempotencyKeyHash: string | null
  now: number
  /** As long as its successor can live: so long it is repeated with its key, and known for a reuse without it. */
  keptUntil: number
}

/** Marks a refresh token as used. It gives its session when this call used it. */
export const rotated = prepared((db, param: Params<Rotation>) =>
  db
    .updateTable('refresh_tokens')
    .set({
      rotated_at: param('now'),
      idempotency_key_hash: param('idempotencyKeyHash'),
      expires_at: param('keptUntil'),
    })
    .where('token_hash', '=', param('tokenHash'))
    .where('rotated_at', 'is', null)
    .where('expires_at', '>', param('now'))
    .returning('session_id'),
)

const refreshTokenOwner = prepared((db, param: Params<{ tokenHash: string }>) =>
  db
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .select(['session_id', 'account_id'])
    .where('token_hash', '=', param('tokenHash')),
)

/** The session that the token belongs to, live or not, and its account. */
export const findRefreshTokenOwner = (db: Db, tokenHash: string) => refreshTokenOwner.first(db, { tokenHash })

export async function findRefreshToken(
  db: Db,
  tokenHash: string,
): Promise<Selectable<RefreshTokensTable> | undefined> {
  return db.selectFrom('refresh_tokens').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst()
}

/** @returns whether this was the first repeat. */
export async function noteRepeat(trx: Trx, tokenHash: string, now: number): Promise<boolean> {
  const tokens = trx.updateTable('refresh_tokens').set({ repeated_at: now })
  return wroteOne(tokens.where('token_hash', '=', tokenHash).where('repeated_at', 'is', null))
}
