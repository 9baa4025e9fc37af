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
 * The transactions of the connection that writes. They take turns, and those that come in the same turn of the event
 * loop are committed together, each a savepoint of one transaction: they wait for one sync of the disk instead of one
 * after another. None is told that it is stored before that sync.
 */
export class SqliteGroups {
  readonly #writer: SqliteConnection
  readonly #turns = makeTurns()
  /** The one that has begun and is not committed. */
  #group: Group | null = null

  constructor(writer: SqliteConnection) {
    this.#writer = writer
  }

  /**
   * Begins a transaction, whose turn it is from now on. It has the write lock from the beginning: one that read first
   * and wrote later could find what it read outdated by another process.
   *
   * @param deadline see {@link patiently}.
   */
  begin(deadline: number): Promise<void> {
    return this.#takeTurn(deadline, () => {
      if (this.#group) this.#writer.run(SAVEPOINT)
      else {
        this.#rollBackAll()
        this.#writer.run(BEGIN)
        this.#group = new Group()
      }
    })
  }

  /** A statement of the transaction whose turn it is. */
  run<R>(query: CompiledQuery): QueryResult<R> {
    try {
      return this.#writer.run<R>(query)
    } catch (error) {
      // A disk that is full or broken makes SQLite roll back by itself, and the whole group.
      if (!this.#writer.inTransaction) this.#lose(error)
      throw error
    }
  }

  /** Ends the turn. @returns what resolves once all that was written is on the disk. */
  commit(): Promise<void> {
    const group = this.#group as Group
    if (group.members > 0) this.#writer.run(RELEASE)
    group.members += 1
    // By then those have come that were about to.
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

  /** Runs a statement that is a transaction of its own. */
  async runAlone<R>(query: CompiledQuery, deadline: number): Promise<QueryResult<R>> {
    const result = await this.#takeTurn(deadline, () => {
      this.#commitGroup()
      this.#rollBackAll()
      return this.#writer.run<R>(query)
    })
    this.#turns.pass()
    return result
  }

  /** Commits what waits for it: this group alone, where one is given. */
  async close(group = this.#group): Promise<void> {
    await this.#turns.take()
    if (this.#group === group) this.#commitGroup()
    this.#turns.pass()
  }

  /** The turn is given back while somebody else's lock is waited for. */
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
      this.#writer.run(COMMIT)
      this.#group = null
      group.store()
    } catch (error) {
      this.#lose(error)
      try {
        this.#rollBackAll()
      } catch {
        // Whoever begins next tries again.
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
class Group {
  /** How many wait for the commit. */
  members = 0
  readonly stored: Promise<void>
  readonly store: () => void
  readonly lose: (error: unknown) => void

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.stored = promise
    this.store = resolve
    this.lose = reject
    // There may be nobody yet who hears of it.
    promise.catch(() => {})
  }
}

/** One at a time, in the order of asking. */
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
      // It stays taken when it is passed on: nobody comes in between.
      if (next) next()
      else taken = false
    },
  }
}
