import type { KeyRing } from '../../crypto/key-ring.ts'
import { sealedUnder } from '../../crypto/secret-box.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { liveReplicas, type Replica, sealingSince } from '../../tokens/key-holders.ts'
import { sealedTables, sealedValues } from './sealed-values.ts'

/** A key of `SECRET_KEY`, by its id: one that is given, or that values of the database are sealed under. */
export interface KeyStatus {
  id: string
  /** Whether it is given, and whether it is the first one. */
  held: boolean
  seals: boolean
  /** Epoch milliseconds; `null` when it has sealed nothing here, or only before this was noted. */
  sealingSince: number | null
  /** How many values are sealed under it, by kind. */
  values: Record<string, number>
}

/** Which keys are given and needed, and who holds them. Nothing is opened. */
export async function statusOfKeys(
  db: Db,
  keyRing: KeyRing,
  clock: Clock,
): Promise<{ keys: KeyStatus[]; replicas: Replica[] }> {
  const counts = new Map<string, Record<string, number>>(keyRing.all.map(({ id }) => [id, {}]))
  for (const table of sealedTables)
    for await (const { sealed } of sealedValues(db, table)) {
      const id = sealedUnder(sealed)
      const values = counts.get(id) ?? {}
      values[table.sealed.name] = (values[table.sealed.name] ?? 0) + 1
      counts.set(id, values)
    }
  const since = await sealingSince(db)
  const keys = [...counts].map(([id, values]) => ({
    id,
    held: keyRing.find(id) !== undefined,
    seals: id === keyRing.primary.id,
    sealingSince: since.get(id) ?? null,
    values,
  }))
  return { keys, replicas: await liveReplicas(db, clock) }
}

/** How many values are sealed under it. */
export const countOf = ({ values }: Pick<KeyStatus, 'values'>): number =>
  Object.values(values).reduce((sum, count) => sum + count, 0)
