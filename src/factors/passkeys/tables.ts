import { DAY_MS } from '../../platform/clock.ts'
import { describeTable, type TableDescriptions } from '../../platform/tables.ts'

declare module '../../platform/tables.ts' {
  interface Tables {
    passkeys: PasskeysTable
    spent_passkey_challenges: SpentPasskeyChallengesTable
  }
}

export interface PasskeysTable {
  id: string
  account_id: string
  /** Base64url, as its authenticator chose it: one account of the whole service has it. */
  credential_id: string
  /** A COSE key (RFC 9052 section 7), base64url. */
  public_key: string
  /** The relying party that it was made for. */
  rp_id: string
  name: string
  /** How a browser reaches its authenticator, separated by spaces: a hint. */
  transports: string
  sign_count: number
  /** 1 where its authenticator may copy it to others (BE). It never changes. */
  backup_eligible: number
  /** 1 where it said last that it has (BS). */
  backed_up: number
  created_at: number
  last_used_at: number | null
  /** A removed one keeps its row for a while: a client that still offers it is told to forget it. */
  removed_at: number | null
}

/** Challenges that were answered. They carry all else themselves. */
export interface SpentPasskeyChallengesTable {
  challenge: string
  account_id: string
  expires_at: number
}

export const passkeyTables = {
  passkeys: describeTable('passkeys', {
    key: ['id'],
    person: { column: 'account_id' },
    expiries: [{ column: 'removed_at', retention: 365 * DAY_MS }],
  }),
  spent_passkey_challenges: describeTable('spent_passkey_challenges', {
    key: ['challenge'],
    person: { column: 'account_id' },
    // Long after, so that a clean-up by a clock that was ahead makes no answer good again.
    expiries: [{ column: 'expires_at', retention: 7 * DAY_MS }],
  }),
} satisfies TableDescriptions
