import { setTimeout as sleep } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from './database.ts'
import type { Dependents, Tables } from './tables.ts'

/**
 * Rows that one statement deletes or ends at most. That takes up to 20 ms, and requests run in between, however many rows
 * there are.
 */
export const BATCH_SIZE = 500

/** Few enough for the parameters of one statement, or for one transaction. */
export function* batchesOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += BATCH_SIZE) yield all.slice(at, at + BATCH_SIZE)
}

/** A step that repeats steps of its own has rests in its time. */
const LONGEST_REST_MS = 50

export interface BatchOptions {
  signal?: AbortSignal
  /** The shortest wait between two batches. */
  pauseMs?: number
}

/**
 * Repeats a step until it finds less than a batch of rows. It rests after each batch for as long as the batch took, so
 * that requests have half of the time.
 *
 * @param step works on {@link BATCH_SIZE} rows at most. @returns how many it found.
 * @returns how many rows there were.
 */
export async function inBatches(
  step: () => Promise<number>,
  { signal, pauseMs = 0 }: BatchOptions = {},
): Promise<number> {
  let rows = 0
  while (!signal?.aborted) {
    const startedAt = performance.now()
    const count = await step()
    rows += count
    if (count < BATCH_SIZE) break
    const tookMs = performance.now() - startedAt
    await sleep(Math.max(pauseMs, Math.min(tookMs, LONGEST_REST_MS)))
  }
  return rows
}

/** Rows to delete. */
export interface RowsToDelete {
  table: keyof Tables
  /** The first column of the primary key. */
  key: string
  /** Checked again in each statement: a row may have been renewed meanwhile. */
  where(): RawBuilder<boolean>
  /** Rows that would be deleted with a row, and may be many. They are deleted before it, in batches of their own. */
  dependents?: Dependents
}

/** @returns how many rows of the table were found. */
export async function deleteInBatches(db: Db, rows: RowsToDelete, options?: BatchOptions): Promise<number> {
  const { table, key, where, dependents } = rows
  const [from, id] = [sql.table(table), sql.ref(key)]
  return inBatches(async () => {
    const found = await sql<{ key: string }>`
      select ${id} as key from ${from} where ${where()} limit ${BATCH_SIZE}`.execute(db)
    const keys = found.rows.map((row) => row.key)
    if (keys.length === 0) return 0
    const these = () => sql<boolean>`${id} in (${sql.join(keys)}) and ${where()}`
    if (dependents)
      await deleteDependents(db, dependents, () => sql`select ${id} from ${from} where ${these()}`, options)
    if (options?.signal?.aborted) return 0
    await sql`delete from ${from} where ${these()}`.execute(db)
    return keys.length
  }, options)
}

async function deleteDependents(
  db: Db,
  { table, key, parent }: Dependents,
  parents: () => RawBuilder<unknown>,
  options?: BatchOptions,
): Promise<void> {
  const [from, id] = [sql.table(table), sql.ref(key)]
  await inBatches(async () => {
    const { numAffectedRows = 0n } = await sql`
      delete from ${from} where ${id} in (
        select ${id} from ${from} where ${sql.ref(parent)} in (${parents()}) limit ${BATCH_SIZE})`.execute(db)
    return Number(numAffectedRows)
  }, options)
}
