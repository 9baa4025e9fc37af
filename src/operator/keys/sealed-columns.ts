import { sql } from 'kysely'
import { outboxContext } from '../../mail/outbox.ts'
import type { Db } from '../../platform/database.ts'
import type { Tables } from '../../platform/tables.ts'
import { hashKeyContext } from '../../tokens/hash-key.ts'
import { signingKeyContext } from '../../tokens/signing-keys.ts'
import { totpSecretContext } from '../../two-factor/setup.ts'

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

/**
 * Everything that `SECRET_KEY` seals. The hash key comes last: no service starts without it, and so none starts
 * without the old key as long as resealing is not done.
 */
export const sealedColumns: readonly SealedColumn[] = [
  sealedColumn('signing keys', 'signing_keys', 'sealed_private_key', ({ id }) => signingKeyContext(id)),
  sealedColumn('TOTP secrets', 'totp_factors', 'sealed_secret', (row) =>
    totpSecretContext(row.account_id, row.id),
  ),
  sealedColumn('mails', 'outbox', 'sealed_message', ({ id }) => outboxContext(id)),
  sealedColumn('hash keys', 'hash_keys', 'sealed_key', ({ id }) => hashKeyContext(id)),
]

function sealedColumn<T extends keyof Tables, C extends keyof Tables[T] & string>(
  name: string,
  table: T,
  column: C,
  contextOf: (row: Tables[T] & { id: string }) => string,
): SealedColumn {
  return {
    name,
    async page(db, after, limit) {
      const { rows } = await sql<Tables[T] & { id: string }>`
        select * from ${sql.table(table)} where id > ${after} order by id limit ${limit}`.execute(db)
      return rows.map((row) => ({ id: row.id, sealed: String(row[column]), context: contextOf(row) }))
    },
    async replace(db, id, from, to) {
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${to}
        where id = ${id} and ${sql.ref(column)} = ${from}`.execute(db)
    },
  }
}
