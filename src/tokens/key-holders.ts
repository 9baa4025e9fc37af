import { sql } from 'kysely'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { INSTANCE } from '../platform/logger.ts'
import { VERSION } from '../version.ts'

/** How often a process that serves notes that it does, in milliseconds. */
export const NOTED_EVERY_MS = 20_000

/** One that was not seen for so long has ended: six times that, and room for clocks that differ. */
const LIVE_MS = 120_000

/** A process that serves. */
export interface Replica {
  /** Where it runs, as its log says. */
  instance: string
  version: string
  /** The ids of the keys in its `SECRET_KEY`, of which the first one seals. */
  keyIds: readonly string[]
  /** Epoch milliseconds. */
  seenAt: number
}

/** The id of the key that the value of a column is sealed under: its first eight characters, as `sealedUnder` reads it. */
export const keyIdIn = (column: string) => sql`substr(${sql.ref(column)}, 1, 8)`

/** The processes that serve this database now, or were killed within two minutes. */
export async function liveReplicas(db: Db, clock: Clock): Promise<Replica[]> {
  const rows = await db
    .selectFrom('replicas')
    .selectAll()
    .where('seen_at', '>', clock.now() - LIVE_MS)
    .orderBy('id')
    .execute()
  return rows.map(({ instance, version, key_ids, seen_at }) => {
    return { instance, version, keyIds: key_ids.split(' '), seenAt: seen_at }
  })
}

/** Since when each key has sealed values of this database, in epoch milliseconds, by its id; keys of the past among them. */
export async function sealingSince(db: Db): Promise<ReadonlyMap<string, number>> {
  const rows = await db.selectFrom('secret_keys').selectAll().execute()
  return new Map(rows.map(({ id, sealing_since }) => [id, sealing_since]))
}

/** Notes which key seals from now on, unless it has before. */
export async function noteSealing(db: Db, keyId: string, clock: Clock): Promise<void> {
  await db
    .insertInto('secret_keys')
    .values({ id: keyId, sealing_since: clock.now() })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

export type KeyHolder = ReturnType<typeof makeKeyHolder>

/** Notes in the database which keys this process holds, for as long as it serves. */
export function makeKeyHolder({ db, clock, keyRing }: { db: Db; clock: Clock; keyRing: KeyRing }) {
  const id = newId(clock)
  const key_ids = keyRing.all.map((key) => key.id).join(' ')
  return {
    async note(): Promise<void> {
      const seen_at = clock.now()
      await db
        .insertInto('replicas')
        .values({ id, instance: INSTANCE, version: VERSION, key_ids, seen_at })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at }))
        .execute()
    },
    async leave(): Promise<void> {
      await db.deleteFrom('replicas').where('id', '=', id).execute()
    },
  }
}

/** The replicas that could not open what this key seals, by where they run. */
export function instancesLacking(keyId: string, replicas: readonly Replica[]): string[] {
  return replicas.filter(({ keyIds }) => !keyIds.includes(keyId)).map(({ instance }) => instance)
}

/** A sentence about a replica that could not open what this key seals; `undefined` when all can. */
export function lacking(keyId: string, replicas: readonly Replica[]): string | undefined {
  const [one] = instancesLacking(keyId, replicas)
  return (
    one &&
    `The replica ${one} does not hold the key ${keyId}. Give it to every replica, after the one that seals, before it comes first anywhere.`
  )
}

/** A sentence about a replica that seals under another key; `undefined` when none does. */
export function sealingOtherwise(keyId: string, replicas: readonly Replica[]): string | undefined {
  const one = replicas.find(({ keyIds }) => keyIds[0] !== keyId)
  return (
    one &&
    `The replica ${one.instance} still seals under another key than ${keyId}: put that first there too.`
  )
}
