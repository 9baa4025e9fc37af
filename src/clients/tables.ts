import { describeTable, type TableDescriptions } from '../platform/tables.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    service_clients: ServiceClientsTable
    client_secrets: ClientSecretsTable
  }
}

export interface ServiceClientsTable {
  id: string
  /** For people. It is unique. */
  name: string
  /** Whose tokens it may look at, separated by spaces. */
  audiences: string
  /** What it may do here, separated by spaces. */
  scopes: string
  created_at: number
  disabled_at: number | null
  /** Its tokens from before this time are dead. */
  tokens_since: number
}

/** A client has one, or two while the newer one takes the place of the older one. */
export interface ClientSecretsTable {
  secret_hash: string
  client_id: string
  created_at: number
  /** To the minute. */
  last_used_at: number | null
}

export const clientTables = {
  service_clients: describeTable('service_clients', { key: ['id'] }),
  client_secrets: describeTable('client_secrets', { key: ['secret_hash'], secrets: ['secret_hash'] }),
} satisfies TableDescriptions
