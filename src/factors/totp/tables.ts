import type { Generated } from 'kysely'
import { describeTable, type TableDescriptions } from '../../platform/tables.ts'

declare module '../../platform/tables.ts' {
  interface Tables {
    totp_factors: TotpFactorsTable
  }
}

export interface TotpFactorsTable {
  id: string
  account_id: string
  /** `pending` until a code confirms it, then `active`. */
  state: 'pending' | 'active'
  sealed_secret: string
  /** The greatest time step of which a code was accepted. */
  last_used_step: number
  /** Others of them, the latest first, separated by spaces: what counts where that one is ahead of the clock. */
  other_steps: string
  created_at: number
  expires_at: number | null
  confirmed_at: number | null
  name: string
  last_used_at: Generated<number | null>
  /** Of a pending one: the challenge or session that began it, and confirms it. */
  begun_by: string | null
  /** Of a pending one: the id of the one that it takes the place of. */
  replaces: string | null
  /** 1 where a wrong code was tried on a pending one. */
  tried: Generated<number>
}

/** Binds a sealed secret to its row: it opens only with the ids of its own factor and account. */
export function totpSecretContext(accountId: string, factorId: string): string {
  return `totp_factors:${accountId}:${factorId}`
}

export const totpTables = {
  totp_factors: describeTable('totp_factors', {
    key: ['id'],
    sealed: {
      name: 'TOTP secrets',
      column: 'sealed_secret',
      context: ({ account_id, id }) => totpSecretContext(account_id, id),
    },
    person: { column: 'account_id' },
    expiries: [{ column: 'expires_at' }],
  }),
} satisfies TableDescriptions
