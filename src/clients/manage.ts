import type { Caller } from '../caller.ts'
import { rfc3339 } from '../platform/clock.ts'
import { type Db, inTransaction, type Trx, wroteOne } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { SERVICE_PREFIX } from '../values/service-client-id.ts'
import { type Client, hashClientSecret, newClientSecret } from './client.ts'
import type { ClientsRoom } from './room.ts'
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

/** How far the clock of another machine may be ahead (SECURITY.md, what is trusted). */
const AHEAD_SECONDS = 10

/** What the operator works with. */
type Room = Pick<ClientsRoom, 'clock' | 'db' | 'keyedHash' | 'trail'>

const about = (clientId: string) => ({ account: undefined, method: clientId })

/**
 * Makes a service client.
 *
 * @returns its id and its secret, of which only a hash is kept; `undefined` when another client has the name.
 */
export async function createClient(
  room: Room,
  { name, audiences, scopes }: Omit<Client, 'id'>,
  caller: Caller,
): Promise<{ id: string; secret: string } | undefined> {
  const id = SERVICE_PREFIX + newId(room.clock)
  const lists = { audiences: audiences.join(' '), scopes: scopes.join(' ') }
  const row = { id, name, ...lists, created_at: room.clock.now(), disabled_at: null, tokens_since: 0 }
  return inTransaction(room.db, async (trx) => {
    const clients = trx.insertInto('service_clients').values(row)
    const making = clients.onConflict((conflict) => conflict.column('name').doNothing())
    if (!(await wroteOne(making))) return undefined
    await room.trail.record(trx, 'client_created', about(id), caller)
    return { id, secret: await addSecret(room, trx, id) }
  })
}

/**
 * Gives a client a second secret. The first one stays good until `endOldSecrets`.
 *
 * @returns it; `undefined` when the client has two already. A third one would end a secret that may be in use.
 */
export async function rotateSecret(room: Room, id: string, caller: Caller): Promise<string | undefined> {
  return inTransaction(room.db, async (trx) => {
    const [newest, older] = await lockSecrets(trx, id)
    if (older) return undefined
    await room.trail.record(trx, 'client_secret_rotated', about(id), caller)
    // After the newest one also by a clock that was set back.
    return addSecret(room, trx, id, (newest?.created_at ?? 0) + 1)
  })
}

/** Ends the secrets of a client but the newest one. @returns how many. */
export async function endOldSecrets({ db, trail }: Room, id: string, caller: Caller): Promise<number> {
  return inTransaction(db, async (trx) => {
    const [, ...older] = await lockSecrets(trx, id)
    for (const { secret_hash } of older)
      await trx.deleteFrom('client_secrets').where('secret_hash', '=', secret_hash).execute()
    if (older.length > 0) await trail.record(trx, 'client_secret_ended', about(id), caller)
    return older.length
  })
}

async function addSecret(
  { clock, keyedHash }: Room,
  trx: Trx,
  clientId: string,
  notBefore = 0,
): Promise<string> {
  const secret = newClientSecret(clientId)
  const secret_hash = hashClientSecret(keyedHash, clientId, secret)
  const row = {
    secret_hash,
    client_id: clientId,
    created_at: Math.max(clock.now(), notBefore),
    last_used_at: null,
  }
  await trx.insertInto('client_secrets').values(row).execute()
  return secret
}

/** The secrets of a client, the newest one first. They are changed by one transaction at a time. */
async function lockSecrets(trx: Trx, clientId: string) {
  await trx.selectFrom('service_clients').select('id').where('id', '=', clientId).forUpdate().execute()
  return listSecrets(trx, clientId)
}

/**
 * Disables a client, enables it again or deletes it. The secrets and tokens of a disabled or deleted one open nothing from
 * then on, and those tokens stay dead when it is enabled.
 *
 * @returns whether that was a change.
 */
export async function changeClient(
  room: Room,
  id: string,
  change: 'disable' | 'enable' | 'delete',
  caller: Caller,
): Promise<boolean> {
  const now = room.clock.now()
  // What was issued in this second too, and by a process whose clock is ahead of this one: `iat` has whole seconds.
  const tokens_since = (Math.floor(now / 1000) + 1 + AHEAD_SECONDS) * 1000
  const disabled = { disabled_at: now, tokens_since }
  return inTransaction(room.db, async (trx) => {
    const clients = trx.updateTable('service_clients').where('id', '=', id)
    const changes = {
      disable: () => clients.set(disabled).where('disabled_at', 'is', null),
      enable: () => clients.set({ disabled_at: null }).where('disabled_at', 'is not', null),
      delete: () => trx.deleteFrom('service_clients').where('id', '=', id),
    }
    const changed = await wroteOne(changes[change]())
    if (changed) await room.trail.record(trx, `client_${change}d`, about(id), caller)
    return changed
  })
}
