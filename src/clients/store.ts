import type { Selectable } from 'kysely'
import type { Db } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { Client } from './client.ts'
import type { ClientSecretsTable, ServiceClientsTable } from './tables.ts'

type ClientRow = Selectable<ServiceClientsTable>

const bySecret = prepared((db, param: Params<{ secretHash: string }>) =>
  db
    .selectFrom('client_secrets')
    .innerJoin('service_clients', 'service_clients.id', 'client_secrets.client_id')
    .select(['id', 'name', 'audiences', 'scopes', 'last_used_at'])
    .where('secret_hash', '=', param('secretHash'))
    .where('disabled_at', 'is', null),
)

/** The client that has this secret, unless it is disabled, and when the secret was used last. */
export async function findClientBySecret(
  db: Db,
  secretHash: string,
): Promise<{ client: Client; lastUsedAt: number | null } | undefined> {
  const row = await bySecret.first(db, { secretHash })
  return row && { client: clientFromRow(row), lastUsedAt: row.last_used_at }
}

const byToken = prepared((db, param: Params<{ id: string; issuedAt: number }>) =>
  db
    .selectFrom('service_clients')
    .select(['id', 'name', 'audiences', 'scopes'])
    .where('id', '=', param('id'))
    .where('disabled_at', 'is', null)
    .where('tokens_since', '<=', param('issuedAt')),
)

/** The client of a token that was issued then, unless the token has died with a `disable`. */
export async function findClientByToken(db: Db, id: string, issuedAt: number): Promise<Client | undefined> {
  const row = await byToken.first(db, { id, issuedAt })
  return row && clientFromRow(row)
}

export function clientFromRow({
  id,
  name,
  audiences,
  scopes,
}: Pick<ClientRow, 'id' | 'name' | 'audiences' | 'scopes'>): Client {
  return { id, name, audiences: audiences.split(' '), scopes: scopes.split(' ').filter(Boolean) }
}

/** Writes that a secret was used, unless that was written after `before` already. */
export async function noteUse(db: Db, secretHash: string, now: number, before: number): Promise<void> {
  await db
    .updateTable('client_secrets')
    .set({ last_used_at: now })
    .where('secret_hash', '=', secretHash)
    .where((eb) =>
      eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', before), eb('last_used_at', '>', now)]),
    )
    .execute()
}

/** The secrets of a client, the newest one first. */
export async function listSecrets(db: Db, clientId: string): Promise<Selectable<ClientSecretsTable>[]> {
  const secrets = db.selectFrom('client_secrets').selectAll().where('client_id', '=', clientId)
  return secrets.orderBy('created_at', 'desc').orderBy('secret_hash').execute()
}
