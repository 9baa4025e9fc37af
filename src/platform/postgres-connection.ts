import type { PostgresPoolClient } from 'kysely'
import { type PoolClient, DatabaseError as PostgresError } from 'pg'
import { ConnectionError, isRefusal, isStale } from './database-errors.ts'
import { isKept, runTogether, type Session } from './postgres-round-trip.ts'
import { BEGIN, type Statement, settingsFor, UNHURRIED } from './postgres-settings.ts'
import { isUnawaited } from './prepared.ts'

/** When this process gives up a server that is silent, which the timeouts of the server do not cover. */
export const SILENCE_MS = 7_000

const NOTHING = { command: '', rowCount: 0, rows: [] }
const ENDS = ['commit', 'rollback']

/** A connection of the pool that does not return there once it was lost, however that shows. */
export function watch(client: PoolClient & Session): PostgresPoolClient {
  let lost = false
  let silenceMs = SILENCE_MS
  /** What goes along with the next statement of a transaction, while there is one. */
  let waiting: readonly Statement[] | undefined
  /** What the transaction has failed with. */
  let failure: unknown

  async function query(text: string, values: readonly unknown[]): Promise<unknown> {
    if (lost) throw new ConnectionError('The connection to the database was lost before')
    if (text === UNHURRIED) silenceMs = 0
    if (text === 'begin') {
      waiting = BEGIN
      return NOTHING
    }
    const before = waiting
    if (text === 'rollback') {
      waiting = failure = undefined
      return before?.[0] === BEGIN[0] ? NOTHING : await send([{ text, values }])
    }
    // It may have failed before it began, and the server would run this by itself.
    if (failure) throw failure
    if (before && isUnawaited(values)) {
      waiting = [...before, { text, values }]
      return NOTHING
    }
    try {
      waiting = before && []
      let ahead = before ?? [settingsFor(text)]
      // It may be several statements in one text, as in migrations, and those go alone.
      if (before?.length && values.length === 0 && !isKept(text)) {
        await send(before)
        ahead = []
      }
      return await send([...ahead, { text, values }])
    } catch (error) {
      if (before) failure = error
      else if (isStale(error)) return await send([settingsFor(text), { text, values }])
      throw error
    } finally {
      if (ENDS.includes(text)) waiting = undefined
    }
  }
  async function send(statements: readonly Statement[]) {
    try {
      return await runTogether(client, statements, silenceMs)
    } catch (error) {
      lost ||= !isRefusal(error)
      if (isStale(error)) client.prepared = undefined
      if (error instanceof PostgresError) throw error
      throw new ConnectionError('The connection to the database was lost', { cause: error })
    }
  }
  return {
    // By its type it takes a cursor too, which Kysely passes only when it is configured with a class for cursors.
    query: query as unknown as PostgresPoolClient['query'],
    release: (destroy = false) => client.release(destroy || lost),
  }
}
