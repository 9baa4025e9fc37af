import type { Generated } from 'kysely'
import { describeTable, type TableDescriptions } from '../../platform/tables.ts'

declare module '../../platform/tables.ts' {
  interface Tables {
    recovery_codes: RecoveryCodesTable
    recovery_code_renewals: RecoveryCodeRenewalsTable
  }
}

export interface RecoveryCodesTable {
  id: string
  account_id: string
  code_hash: string
  created_at: number
  used_at: number | null
  /** How often a wrong password came with it. */
  wrong_passwords: Generated<number>
}

/** How often an account has renewed its codes in the hour that began then. */
export interface RecoveryCodeRenewalsTable {
  account_id: string
  since: number
  renewals: number
}

/** In which renewals are counted. */
export const RENEWAL_WINDOW_MS = 3_600_000

export const recoveryCodeTables = {
  recovery_codes: describeTable('recovery_codes', {
    key: ['id'],
    secrets: ['code_hash'],
    person: { column: 'account_id' },
  }),
  recovery_code_renewals: describeTable('recovery_code_renewals', {
    key: ['account_id'],
    person: { column: 'account_id' },
    expiries: [{ column: 'since', retention: RENEWAL_WINDOW_MS }],
  }),
} satisfies TableDescriptions
