import { describeTable, type TableDescriptions } from '../platform/tables.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    outbox: OutboxTable
    mail_counts: MailCountsTable
  }
}

/** Mail that waits to be sent. `sealed_message` is the whole message. */
export interface OutboxTable {
  id: string
  sealed_message: string
  created_at: number
  attempts: number
  next_attempt_at: number
  /** The time until which one process has claimed it. */
  claimed_until: number
}

/** The number of requested mails of an account or to an address, since the first one in the window. */
export interface MailCountsTable {
  /** A keyed hash of an account or an address. */
  subject: string
  since: number
  mails: number
}

/** The window in which requested codes are counted. */
export const MAIL_WINDOW_MS = 3_600_000

/** Binds a sealed mail to its row: it opens with that id only. */
export function outboxContext(id: string): string {
  return `outbox:${id}`
}

export const mailTables = {
  outbox: describeTable('outbox', {
    key: ['id'],
    sealed: { name: 'mails', column: 'sealed_message', context: ({ id }) => outboxContext(id) },
  }),
  mail_counts: describeTable('mail_counts', {
    key: ['subject'],
    person: { column: 'subject', hashed: true },
    expiries: [{ column: 'since', retention: MAIL_WINDOW_MS }],
  }),
} satisfies TableDescriptions
