import { sql } from 'kysely'
import { DAY_MS } from '../platform/clock.ts'
import { describeTable, type TableDescriptions } from '../platform/tables.ts'
import { PASSWORD_POLICY } from './policies.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    failure_counters: FailureCountersTable
    own_networks: OwnNetworksTable
  }
}

/** Consecutive failures of one factor of one subject. */
export interface FailureCountersTable {
  subject: string
  factor: string
  failures: number
  blocked_until: number
  last_failed_at: number
  /** When an attempt was last right, if one ever was. */
  succeeded_at: number | null
}

/** A network of an account. */
export interface OwnNetworksTable {
  /** The name from this network: the subject of its counter. */
  subject: string
  account_id: string
  /** When the last full sign-in came from there. */
  signed_in_at: number
}

/** How long wrong passwords of a name from a network are remembered after the last one. */
const PASSWORD_RETENTION_MS = 90 * DAY_MS

/** How long a network is the account's own after a full sign-in there: longer than any session lives by default. */
export const OWN_NETWORK_MS = 180 * DAY_MS

/**
 * How long too few wrong passwords for a pause are remembered, from a network where the password was never right. Most
 * are of names that no account has. Waiting for their end leaves an attacker fewer tries than the pauses would.
 */
const FEW_RETENTION_MS = DAY_MS

export const attemptTables = {
  failure_counters: describeTable('failure_counters', {
    key: ['subject', 'factor'],
    person: { column: 'subject', hashed: true },
    // Only counters of passwords: anyone can fill these rows with made-up names and networks.
    expiries: [
      { column: 'last_failed_at', retention: PASSWORD_RETENTION_MS, only: sql<boolean>`factor = 'password'` },
      {
        column: 'last_failed_at',
        retention: FEW_RETENTION_MS,
        only: sql<boolean>`factor = 'password' and failures < ${PASSWORD_POLICY.from} and succeeded_at is null`,
      },
    ],
  }),
  own_networks: describeTable('own_networks', {
    key: ['subject'],
    person: { column: 'account_id' },
    expiries: [{ column: 'signed_in_at', retention: OWN_NETWORK_MS }],
  }),
} satisfies TableDescriptions
