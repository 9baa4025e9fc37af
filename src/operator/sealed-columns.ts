import { outboxContext } from '../mail/outbox.ts'
import type { Db } from '../platform/database.ts'
import { hashKeyContext } from '../tokens/hash-key.ts'
import { signingKeyContext } from '../tokens/signing-keys.ts'
import { totpSecretContext } from '../two-factor/setup.ts'

/** One sealed value, where it lives, and the context it opens in. */
export interface SealedValue {
  id: string
  sealed: string
  context: string
}

/** A column of sealed values, for whoever must go through all of them. */
export interface SealedColumn {
  name: string
  /** The next values after an id, in the order of their ids. */
  page(db: Db, after: string, limit: number): Promise<SealedValue[]>
  /** Puts a value in the place of another, unless that has changed meanwhile. */
  replace(db: Db, id: string, from: string, to: string): Promise<void>
}

/** Everything that `SECRET_KEY` seals. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    name: 'signing keys',
    async page(db, after, limit) {
      const rows = await db
        .selectFrom('signing_keys')
        .select(['id', 'sealed_private_key'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        sealed: row.sealed_private_key,
        context: signingKeyContext(row.id),
      }))
    },
    async replace(db, id, from, to) {
      await db
        .updateTable('signing_keys')
        .set({ sealed_private_key: to })
        .where('id', '=', id)
        .where('sealed_private_key', '=', from)
        .execute()
    },
  },
  {
    name: 'hash keys',
    async page(db, after, limit) {
      const rows = await db
        .selectFrom('hash_keys')
        .select(['id', 'sealed_key'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ id: row.id, sealed: row.sealed_key, context: hashKeyContext(row.id) }))
    },
    async replace(db, id, from, to) {
      await db
        .updateTable('hash_keys')
        .set({ sealed_key: to })
        .where('id', '=', id)
        .where('sealed_key', '=', from)
        .execute()
    },
  },
  {
    name: 'TOTP secrets',
    async page(db, after, limit) {
      const rows = await db
        .selectFrom('totp_factors')
        .select(['id', 'account_id', 'sealed_secret'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        sealed: row.sealed_secret,
        context: totpSecretContext(row.account_id, row.id),
      }))
    },
    async replace(db, id, from, to) {
      await db
        .updateTable('totp_factors')
        .set({ sealed_secret: to })
        .where('id', '=', id)
        .where('sealed_secret', '=', from)
        .execute()
    },
  },
  {
    name: 'mails',
    async page(db, after, limit) {
      const rows = await db
        .selectFrom('outbox')
        .select(['id', 'sealed_message'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ id: row.id, sealed: row.sealed_message, context: outboxContext(row.id) }))
    },
    async replace(db, id, from, to) {
      await db
        .updateTable('outbox')
        .set({ sealed_message: to })
        .where('id', '=', id)
        .where('sealed_message', '=', from)
        .execute()
    },
  },
]
