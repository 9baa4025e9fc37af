import { describeTable, type TableDescriptions } from '../platform/tables.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    challenges: ChallengesTable
  }
}

/** The password was right, and a second factor is still to be shown. `id` is the `jti` of the mfa token. */
export interface ChallengesTable {
  id: string
  account_id: string
  created_at: number
  expires_at: number
  wrong_codes: number
  consumed_at: number | null
}

export const challengeTables = {
  challenges: describeTable('challenges', {
    key: ['id'],
    person: { column: 'account_id' },
    expiries: [{ column: 'expires_at' }],
  }),
} satisfies TableDescriptions
