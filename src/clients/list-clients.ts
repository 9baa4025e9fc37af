import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { clientFromRow, listSecrets } from './store.ts'

/** Every client by name, or the one with this id or name, as the operator sees it; the newest secret first. */
export async function listClients(db: Db, idOrName?: string) {
  const all = db.selectFrom('service_clients').selectAll().orderBy('name')
  const rows = await (idOrName === undefined
    ? all
    : all.where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
  ).execute()
  return Promise.all(
    rows.map(async (row) => ({
      ...clientFromRow(row),
      created_at: rfc3339(row.created_at),
      disabled_at: row.disabled_at === null ? null : rfc3339(row.disabled_at),
      secrets: (await listSecrets(db, row.id)).map(({ created_at, last_used_at }) => ({
        created_at: rfc3339(created_at),
        last_used_at: last_used_at === null ? null : rfc3339(last_used_at),
      })),
    })),
  )
}
