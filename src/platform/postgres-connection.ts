import type { PostgresPoolClient } from 'kysely'
import { type PoolClient, DatabaseError as PostgresError } from 'pg'
import { ConnectionError, isRefusal, isStale } from './database-errors.ts'
import { isKept, runTogether, type Session } from './postgres-round-trip.ts'
import { BEGIN, type Statement, settingsFor, UNHURRIED } from './postgres-settings.ts'
import { isUnawaited } from './prepared.ts'

/** When this process gives up a server that is silent, which the timeouts of the server do not cover. */
export const SILENCE_MS = 7_000

const NOTHING = { command: '', rowCount: 0, rows: [] }

/**
 * A connection of the pool that does not return there once it was lost, however that shows. What is asked of it together
 * goes to the server in one round trip, and so does what a transaction does not wait for, with its next statement.
 */
export function watch(client: PoolClient & Session): PostgresPoolClient {
  let lost = false
  let released = false
  let silenceMs = SILENCE_MS
  let inTransaction = false
  /** The transaction takes no more statements. */
  let ending = false
  /** What the transaction has failed with. */
  let failure: unknown
  let queue: Statement[] = []
  let sending = false

  async function query(text: string, values: readonly unknown[]): Promise<unknown> {
    requireOurs()
    if (text === UNHURRIED) silenceMs = 0
    if (text === 'begin') {
      inTransaction = true
      failure = undefined
      queue = [...BEGIN]
      return NOTHING
    }
    if (text === 'rollback') return rollBack()
    if (ending) throw new Error('The transaction has ended')
    // It may have failed before it began, and the server would run this by itself.
    if (failure) throw failure
    if (inTransaction && isUnawaited(values)) {
      queue.push({ text, values })
      return NOTHING
    }
    ending = text === 'commit'
    return enqueue(text, values)
  }

  async function rollBack(): Promise<unknown> {
    const begun = queue[0] !== BEGIN[0]
    const dropped = queue
    queue = []
    inTransaction = ending = false
    failure = undefined
    for (const { waiting } of dropped) waiting?.reject(new Error('The transaction was rolled back'))
    return begun ? (await send([{ text: 'rollback', values: [] }]))[0] : NOTHING
  }

  function enqueue(text: string, values: readonly unknown[]): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>()
    queue.push({ text, values, waiting })
    if (!sending) {
      sending = true
      // Not before everything was asked that is asked together.
      queueMicrotask(sendAll)
    }
    return waiting.promise
  }

  async function sendAll(): Promise<void> {
    while (queue.some(({ waiting }) => waiting)) {
      const asked = queue.splice(0, inOneTrip(queue))
      const alone = !inTransaction
      const settings = alone ? [settingsFor(asked.map(({ text }) => text))] : []
      try {
        if (failure) throw failure
        const results = await trip([...settings, ...asked], alone)
        for (const [at, { waiting }] of asked.entries()) waiting?.resolve(results[settings.length + at])
      } catch (error) {
        if (!alone) failure = error
        for (const { waiting } of asked) waiting?.reject(error)
      }
      if (asked.at(-1)?.text === 'commit') inTransaction = ending = false
    }
    sending = false
  }

  /** How many of these go in one round trip: one that was not built by `prepared` can only be the last. */
  function inOneTrip(asked: readonly Statement[]): number {
    const at = asked.findIndex(({ text }) => !isKept(text))
    if (at === -1) return asked.length
    // It may be several statements in one text, as in migrations, and those go alone.
    const alone = inTransaction && asked[at]?.values.length === 0
    return alone && at > 0 ? at : at + 1
  }

  /** @param alone whether these are no part of a longer transaction, and may be sent again. */
  async function trip(statements: readonly Statement[], alone: boolean) {
    try {
      return await send(statements)
    } catch (error) {
      if (!alone || !isStale(error)) throw error
      return await send(statements)
    }
  }

  function requireOurs(): void {
    if (released) throw new Error('The connection was given back')
    if (lost) throw new ConnectionError('The connection to the database was lost before')
  }

  async function send(statements: readonly Statement[]) {
    requireOurs()
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
    release(destroy = false) {
      released = true
      client.release(destroy || lost)
    },
  }
}
