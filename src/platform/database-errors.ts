import { setTimeout as sleep } from 'node:timers/promises'

/** The database could not be opened; the message is a sentence for the operator. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** A connection to the database could not be made, or it was lost. The cause says how. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/**
 * The connection was lost during the commit. The transaction is stored as a whole or not at all, and it is unknown
 * which.
 */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
}

/** Several transactions were in each other's way, and this one was undone. */
const IN_THE_WAY = ['40001', '40P01']

/** Another transaction did not release its lock in time. */
const LOCKED = '55P03'

/** What the session had prepared is gone, or gives other columns since a migration. */
const STALE = ['0A000', '26000']

/** Sent by a server that ends the connection, or by a distributed one that does not know whether it has committed. */
const PARTING = /^(08|57P|58|XX)|^(25P03|40003)$/

/** The server is shutting down or starting. */
const RESTARTING = ['57P01', '57P02', '57P03']

/** The server has no connection left. */
const CROWDED = ['53300']

/** The server does not listen there, or no longer. For a Unix socket the code is `ENOENT`. */
const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'EAI_AGAIN']

/** Whether the fault is between this process and the database, on either side. The request may be right. */
export function isDatabaseFault(error: unknown): boolean {
  const ours = error instanceof ConnectionError || error instanceof OutcomeUnknownError
  return ours || isOfPostgres(error) || codeOf(error).startsWith('SQLITE_')
}

/**
 * Whether a transaction that failed with this error certainly left nothing behind and may succeed the next time. A
 * connection that was lost before the commit is such a failure, because nothing is stored until then. One that was
 * lost during the commit is not.
 */
export function isWorthRepeating(error: unknown): boolean {
  return error instanceof ConnectionError || [...IN_THE_WAY, ...RESTARTING, ...STALE].includes(codeOf(error))
}

/** Whether the server refused and is ready for more: the failed statement is undone, and so is its transaction. */
export function isRefusal(error: unknown): boolean {
  if (!isOfPostgres(error)) return false
  const { code = '', severity } = error
  // The code decides, because the severity is in the language of the server.
  return !PARTING.test(code) && !['FATAL', 'PANIC'].includes(severity)
}

/** Whether a statement gave up its wait for a lock. */
export const isLocked = (error: unknown) => codeOf(error) === LOCKED

/** Whether the session keeps no statements, or not as they are now. The failed one did nothing. */
export const isStale = (error: unknown) => STALE.includes(codeOf(error))

/** Whether a connection that could not be made may be made in a moment. */
export function isPassing(error: unknown): boolean {
  return [...RESTARTING, ...CROWDED, ...UNREACHABLE].includes(codeOf(error))
}

/** How often, and for how long, work is tried that a collision or a restart makes fail. */
const TRIES = 6
const PATIENCE_MS = 2_000

/** Runs work again while it fails with an error that is worth it, within bounds. */
export async function repeated<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isWorthRepeating(error) || tries === TRIES || performance.now() > deadline) throw error
      // The pause varies, so that transactions that met do not meet again.
      await sleep(Math.random() * 10 * 2 ** tries)
    }
  }
}

/** Whether PostgreSQL sent it. Its driver is not asked, because only a service on PostgreSQL loads it. */
function isOfPostgres(error: unknown): error is { code?: string; severity: string } {
  return typeof (error as { severity?: unknown } | null)?.severity === 'string'
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '')
}
