import { describeTable, type TableDescriptions } from '../../../src/platform/tables.ts'

declare module '../../../src/platform/tables.ts' {
  interface Tables {
    handshake_keys: HandshakeKeysTable
    handshake_challenges: HandshakeChallengesTable
  }
}

export interface HandshakeKeysTable {
  id: string
  account_id: string
  sealed_key: string
  /** When a pending key goes. */
  expires_at: number | null
  confirmed_at: number | null
}

export interface HandshakeChallengesTable {
  /** What is signed. */
  challenge: string
  account_id: string
  /** The challenge of the mfa token or the session that it was asked for with. */
  bound_to: string
  expires_at: number
  used_at: number | null
}

export function keyContext(accountId: string, keyId: string): string {
  return `handshake_keys:${accountId}:${keyId}`
}

export const handshakeTables = {
  handshake_keys: describeTable('handshake_keys', {
    key: ['id'],
    sealed: {
      name: 'handshake keys',
      column: 'sealed_key',
      context: ({ account_id, id }) => keyContext(account_id, id),
    },
    expiries: [{ column: 'expires_at' }],
  }),
  handshake_challenges: describeTable('handshake_challenges', {
    key: ['challenge'],
    expiries: [{ column: 'expires_at' }],
  }),
} satisfies TableDescriptions
