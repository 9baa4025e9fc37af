import { type Selectable, sql } from 'kysely'
import { DAY_MS } from '../platform/clock.ts'
import { describeTable, type TableDescriptions } from '../platform/tables.ts'
import type { Actor, EventName, Outcome } from './events.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    audit_events: AuditEventsTable
  }
}

/** What happened to whom, when and from where. Rows outlive their account. */
export interface AuditEventsTable {
  id: string
  at: number
  event: EventName
  outcome: Outcome
  actor: Actor
  method: string | null
  account_id: string | null
  session_id: string | null
  ip: string
  user_agent: string
  request_id: string
}

export type AuditEventRow = Selectable<AuditEventsTable>

/** Events of refreshes are most of the trail. They are kept for as long as a refresh token lives by default. */
const REFRESH_RETENTION_MS = 30 * DAY_MS

export const auditTables = {
  audit_events: describeTable('audit_events', {
    key: ['id'],
    person: { column: 'account_id' },
    expiries: [
      { column: 'at', retention: ({ auditRetentionDays }) => auditRetentionDays * DAY_MS },
      { column: 'at', retention: REFRESH_RETENTION_MS, only: sql<boolean>`event = 'token_refreshed'` },
    ],
  }),
} satisfies TableDescriptions
