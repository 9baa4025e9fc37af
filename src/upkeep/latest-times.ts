import { latestEventAt } from '../audit/list-events.ts'
import type { Db } from '../platform/database.ts'
import { latestSigningKeyAt } from '../tokens/signing-keys.ts'

/** Something that is written down with the time at which it happened. */
export interface Written {
  what: string
  /** Of the latest one, in epoch milliseconds; 0 where there is none. */
  at: number
}

/**
 * The latest times of what has happened, which are past unless a clock was ahead. Every request and command leaves an
 * event; signing keys are made without one.
 */
export async function latestTimes(db: Db): Promise<Written[]> {
  return [
    { what: 'audit event', at: await latestEventAt(db) },
    { what: 'signing key', at: await latestSigningKeyAt(db) },
  ]
}
