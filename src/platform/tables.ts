import type { RawBuilder } from 'kysely'

/**
 * The tables of the database. Each room adds its own tables and their descriptions. Ids are UUIDv7 texts, times are
 * epoch milliseconds, and a state that can be dated is a nullable time instead of a flag: SQLite and PostgreSQL agree
 * on these without translation.
 */
export interface Tables {
  /** Kysely's own table: the migrations that this database has. */
  kysely_migration: { name: string; timestamp: string }
}

/** What clean-up, copies and resealing need to know of a table. They loop over these descriptions. */
export interface TableDescription<Column extends string = string, Row = never> {
  /** The columns of the primary key. */
  key: readonly Column[]
  /** A column whose values are sealed under `SECRET_KEY`. Its table has a key `id`. */
  sealed?: {
    /** What is sealed, in words for people. */
    name: string
    column: Column
    /** The context that a value is bound to, so that it opens only in its own row. */
    context(row: Row): string
  }
  /** Other columns with secrets or hashes of them. */
  secrets?: readonly Column[]
  /** How the rows of one account are found. A table without it holds nothing of a person. */
  person?: Person<Column>
  /** When rows expire. Other rows are deleted with the row that they belong to. */
  expiries?: readonly Expiry<Column>[]
}

/** Where a row says which account it belongs to. */
export interface Person<Column = string> {
  /** The column with the id of the account. */
  column: Column
  /** The table whose row the column names instead; that row has the id of the account. */
  parent?: keyof Tables
  /** The column holds keyed hashes of what is known of the account, and not its id. */
  hashed?: true
}

/** The settings that say how long rows are kept. */
export interface Retentions {
  auditRetentionDays: number
}

/** Rows that are no longer needed. */
export interface Expiry<Column = string> {
  /** A row may be deleted `retention` milliseconds after the time in this column, which has an index. */
  column: Column
  retention?: number | ((settings: Retentions) => number)
  /**
   * Which rows expire; all when left out. It is written out, because a partial index is not used with a bound value.
   */
  only?: RawBuilder<boolean>
  /** Rows that would be deleted with a row, and may be many. They are deleted before it, in batches of their own. */
  dependents?: Dependents
}

/** Rows that belong to a row of another table. */
export interface Dependents {
  table: keyof Tables
  key: string
  /** The column that holds the key of the row they belong to. */
  parent: string
}

/** The tables of one room. */
export type TableDescriptions = Readonly<Record<string, TableDescription>>

/** Checks a description against the rows of its table. */
export function describeTable<T extends keyof Tables>(
  _table: T,
  description: TableDescription<keyof Tables[T] & string, Tables[T]>,
): TableDescription {
  return description
}
