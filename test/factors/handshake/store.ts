import { type Db, type Trx, wroteOne } from '../../../src/platform/database.ts'

/** A key of an account: pending until it has signed a challenge. */
export interface HandshakeKey {
  id: string
  accountId: string
  sealedKey: string
  expiresAt: number | null
}

export interface HandshakeChallenge {
  challenge: string
  accountId: string
  boundTo: string
  expiresAt: number
}

export async function insertPendingKey(
  trx: Trx,
  { id, accountId, sealedKey, expiresAt }: HandshakeKey,
): Promise<void> {
  await trx
    .insertInto('handshake_keys')
    .values({
      id,
      account_id: accountId,
      sealed_key: sealedKey,
      expires_at: expiresAt,
      confirmed_at: null,
    })
    .execute()
}

export async function findKey(db: Db, accountId: string, id: string): Promise<HandshakeKey | undefined> {
  const row = await db
    .selectFrom('handshake_keys')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && { id, accountId, sealedKey: row.sealed_key, expiresAt: row.expires_at }
}

export async function insertChallenge(trx: Trx, challenge: HandshakeChallenge): Promise<void> {
  await trx
    .insertInto('handshake_challenges')
    .values({
      challenge: challenge.challenge,
      account_id: challenge.accountId,
      bound_to: challenge.boundTo,
      expires_at: challenge.expiresAt,
      used_at: null,
    })
    .execute()
}

/**
 * Uses a challenge up that a key has signed.
 *
 * @param state of the key, which may be another one by now than when the signature was checked.
 * @returns whether it was a challenge of this token, still good, and this call used it.
 */
export async function spendChallenge(
  trx: Trx,
  signed: { challenge: string; accountId: string; boundTo: string; keyId: string },
  state: 'pending' | 'active',
  now: number,
): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('handshake_challenges')
      .set({ used_at: now })
      .where('challenge', '=', signed.challenge)
      .where('account_id', '=', signed.accountId)
      .where('bound_to', '=', signed.boundTo)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .where((eb) => {
        const key = eb
          .selectFrom('handshake_keys')
          .select('id')
          .where('id', '=', signed.keyId)
          .where('account_id', '=', signed.accountId)
        return eb.exists(
          state === 'active'
            ? key.where('confirmed_at', 'is not', null)
            : key.where('confirmed_at', 'is', null).where('expires_at', '>', now),
        )
      }),
  )
}

export async function activateKey(trx: Trx, id: string, now: number): Promise<void> {
  await trx
    .updateTable('handshake_keys')
    .set({ confirmed_at: now, expires_at: null })
    .where('id', '=', id)
    .execute()
}

/** The oldest first. */
export async function activeKeys(db: Db, accountId: string): Promise<{ id: string; confirmedAt: number }[]> {
  const rows = await db
    .selectFrom('handshake_keys')
    .select(['id', 'confirmed_at'])
    .where('account_id', '=', accountId)
    .where('confirmed_at', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.map(({ id, confirmed_at }) => ({ id, confirmedAt: confirmed_at ?? 0 }))
}

/** Takes one key from an account; all of them without its id, pending ones too, and what they were asked to sign. */
export async function deleteKeys(trx: Trx, accountId: string, _now: number, id?: string): Promise<void> {
  await trx.deleteFrom('handshake_challenges').where('account_id', '=', accountId).execute()
  await trx
    .deleteFrom('handshake_keys')
    .where('account_id', '=', accountId)
    .$if(id !== undefined, (query) => query.where('id', '=', id as string))
    .execute()
}

export async function keysAmong(db: Db, accountIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (accountIds.length === 0) return new Set()
  const rows = await db
    .selectFrom('handshake_keys')
    .select('account_id')
    .where('account_id', 'in', accountIds)
    .where('confirmed_at', 'is not', null)
    .execute()
  return new Set(rows.map(({ account_id }) => account_id))
}
