import type { CompiledQuery, QueryResult } from 'kysely'
import { patiently, type SqliteConnection } from './sqlite-connection.ts'

const statement = (sql: string) => ({ sql, parameters: [] })
const BEGIN = statement('begin immediate')
const COMMIT = statement('commit')
const ROLLBACK = statement('rollback')
const SAVEPOINT = statement('savepoint member')
const RELEASE = statement('release member')
const ROLLBACK_TO = statement('rollback to member')

/**
 * The transactions of the connection that writes. They take turns. Those that come in the same turn of the event loop
 * are committed together, each as a savepoint of one transaction: they share one sync of the disk instead of waiting
 * for one after another. No transaction is reported as stored before that sync.
 */
export class SqliteGroups {
  readonly #writer: SqliteConnection
  readonly #turns = makeTurns()
  /** The group that has begun and is not committed yet. */
  #group: Group | null = null
  /** What the transaction that has the turn was lost with. */
  #loss: unknown

  constructor(writer: SqliteConnection) {
    this.#writer = writer
  }

  /**
   * Begins a transaction and gives it the turn. It has the write lock from the beginning: a transaction that read
   * first and wrote later could find its reads outdated by another process.
   *
   * @param deadline see {@link patiently}.
   */
  begin(deadline: number): Promise<void> {
    return this.#takeTurn(deadline, () => {
      this.#loss = undefined
      if (this.#group) this.#writer.run(SAVEPOINT)
      else {
        this.#rollBackAll()
        this.#writer.run(BEGIN)
        this.#group = newGroup()
      }
    })
  }

  /** Runs a statement of the transaction that has the turn. */
  run<R>(query: CompiledQuery): QueryResult<R> {
    // What was asked together with the statement that failed would be a transaction of its own.
    if (this.#loss) throw this.#loss
    try {
      return this.#writer.run<R>(query)
    } catch (error) {
      // When the disk is full or broken, SQLite rolls back by itself, and with it the whole group.
      if (!this.#writer.inTransaction) {
        this.#loss = error
        this.#lose(error)
      }
      throw error
    }
  }

  /** Ends the turn. @returns a promise that resolves once the transaction is on the disk. */
  commit(): Promise<void> {
    if (this.#loss) throw this.#loss
    const group = this.#group as Group
    if (group.members > 0) this.#writer.run(RELEASE)
    group.members += 1
    // By then, all transactions of this turn of the event loop have come.
    if (group.members === 1) setImmediate(() => this.close(group))
    this.#turns.pass()
    return group.stored
  }

  /** Ends the turn as if it had never begun. */
  rollback(): void {
    try {
      if (this.#group && this.#group.members > 0) {
        this.#writer.run(ROLLBACK_TO)
        this.#writer.run(RELEASE)
      } else {
        this.#group = null
        this.#rollBackAll()
      }
    } finally {
      this.#turns.pass()
    }
  }

  /** Runs a statement as a transaction of its own. */
  async runAlone<R>(query: CompiledQuery, deadline: number): Promise<QueryResult<R>> {
    const result = await this.#takeTurn(deadline, () => {
      this.#commitGroup()
      this.#rollBackAll()
      this.#writer.requireInPlace()
      return this.#writer.run<R>(query)
    })
    this.#turns.pass()
    return result
  }

  /** Commits the group that waits; if one is given, only that one. */
  async close(group = this.#group): Promise<void> {
    await this.#turns.take()
    if (this.#group === group) this.#commitGroup()
    this.#turns.pass()
  }

  /** Gives the turn back while it waits for the lock of another process. */
  #takeTurn<T>(deadline: number, work: () => T): Promise<T> {
    return patiently(async () => {
      await this.#turns.take()
      try {
        return work()
      } catch (error) {
        this.#turns.pass()
        throw error
      }
    }, deadline)
  }

  #commitGroup(): void {
    const group = this.#group
    if (!group) return
    try {
      this.#writer.requireInPlace()
      this.#writer.run(COMMIT)
      this.#group = null
      group.store()
    } catch (error) {
      this.#lose(error)
      try {
        this.#rollBackAll()
      } catch {
        // The next transaction tries again.
      }
    }
  }

  #rollBackAll(): void {
    if (this.#writer.inTransaction) this.#writer.run(ROLLBACK)
  }

  #lose(error: unknown): void {
    const group = this.#group
    this.#group = null
    group?.lose(error)
  }
}

/** Transactions that are committed together. */
type Group = ReturnType<typeof newGroup>

function newGroup() {
  const { promise: stored, resolve: store, reject: lose } = Promise.withResolvers<void>()
  // Avoids an unhandled rejection when no member waits yet.
  stored.catch(() => {})
  /** `members` are the transactions that wait for the commit. */
  return { members: 0, stored, store, lose }
}

/** Gives turns one at a time, in the order in which they were asked for. */
function makeTurns(): { take(): Promise<void>; pass(): void } {
  const waiting: (() => void)[] = []
  let taken = false
  return {
    async take() {
      if (taken) await new Promise<void>((resolve) => waiting.push(resolve))
      taken = true
    },
    pass() {
      const next = waiting.shift()
      // The turn stays taken while it is passed on, so that no other comes in between.
      if (next) next()
      else taken = false
    },
  }
}
