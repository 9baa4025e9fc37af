import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError as PostgresError } from 'pg'

/** The database could not be opened; the message is a sentence for the operator. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** No connection to the database could be had, or it was lost; the cause says how. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/** The connection was lost at the commit: what was to be stored is stored as a whole, or not at all. Nobody knows which. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
}

/** Of several transactions that were in each other's way, this one was undone. */
const IN_THE_WAY = ['40001', '40P01']

/** Said by a server that ends the connection, or by a distributed one that does not know whether it has committed. */
const PARTING = /^(08|57P|58|XX)|^(25P03|40003)$/

/** The server is going down or coming up. */
const RESTARTING = ['57P01', '57P02', '57P03']

/** All its connections are taken. */
const CROWDED = ['53300']

/** Nobody listens there, or not any more; by a Unix socket `ENOENT` says so. */
const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'EAI_AGAIN']

/** Whether something went wrong between this process and the database, whichever it is: the request may be right. */
export function isDatabaseFault(error: unknown): boolean {
  const ours = error instanceof ConnectionError || error instanceof OutcomeUnknownError
  return ours || error instanceof PostgresError || codeOf(error).startsWith('SQLITE_')
}

/**
 * Whether a transaction that failed so has surely left nothing behind, and may well succeed the next time. Until a
 * commit is asked for nothing is stored, and so a lost connection is such a failure; at the commit it is none.
 */
export function isWorthRepeating(error: unknown): boolean {
  return error instanceof ConnectionError || [...IN_THE_WAY, ...RESTARTING].includes(codeOf(error))
}

/** Whether the server refused and is there for more: what failed is undone, and so is what was to be committed. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof PostgresError)) return false
  const { code = '', severity = '' } = error
  // The code decides: the severity comes in the server's language.
  return !PARTING.test(code) && !['FATAL', 'PANIC'].includes(severity)
}

/** Whether a connection that could not be made may be made in a moment. */
export function isPassing(error: unknown): boolean {
  return [...RESTARTING, ...CROWDED, ...UNREACHABLE].includes(codeOf(error))
}

/** How often, and for how long, work is tried that others or a restart get in the way of. */
const TRIES = 6
const PATIENCE_MS = 2_000

/** Does something again while it fails in a way that is worth it, within bounds. */
export async function repeated<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isWorthRepeating(error) || tries === TRIES || performance.now() > deadline) throw error
      // Of different length for everybody, so that those who met do not meet again.
      await sleep(Math.random() * 10 * 2 ** tries)
    }
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '')
}
