import { accountTables } from './accounts/tables.ts'
import { attemptTables } from './attempts/tables.ts'
import { auditTables } from './audit/tables.ts'
import { challengeTables } from './challenges/tables.ts'
import { clientTables } from './clients/tables.ts'
import { factors } from './factors/registry.ts'
import { enrolmentTables } from './factors/tables.ts'
import { mailTables } from './mail/tables.ts'
import type { TableDescription, Tables } from './platform/tables.ts'
import { keyTables, sessionTables } from './tokens/tables.ts'

/** The name of a table, and its description by its room. */
export interface NamedTable extends TableDescription {
  name: keyof Tables
}

/**
 * Every table, after the tables that it refers to. The hash key comes first: each database makes its own, so it tells
 * a copy of a database from another database.
 */
export const tables: readonly NamedTable[] = [
  keyTables,
  clientTables,
  accountTables,
  challengeTables,
  enrolmentTables,
  ...factors.map((factor) => factor.tables),
  sessionTables,
  attemptTables,
  auditTables,
  mailTables,
].flatMap((room) =>
  Object.entries(room).map(([name, description]) => ({ name: name as keyof Tables, ...description })),
)

export const tableNames = tables.map(({ name }) => name)
