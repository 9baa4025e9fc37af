import type { Compilable, CompiledQuery } from 'kysely'
import type { Db } from './database.ts'

/** A query that is asked over and over, each time with other values. */
export interface Prepared<V, O> {
  /** Every row. */
  all(db: Db, values: V): Promise<O[]>
  first(db: Db, values: V): Promise<O | undefined>
  /** Runs it. @returns how many rows it wrote. */
  run(db: Db, values: V): Promise<number>
}

/**
 * Builds a query once for each database instead of at each call: Kysely makes a tree of objects and writes SQL
 * from it, which costs many times what SQLite takes for a row by its key. The values are names while it is built,
 * so they may be handed on and not computed with.
 */
export function prepared<V extends object, O>(build: (db: Db, values: V) => Compilable<O>): Prepared<V, O> {
  // By the adapter, which a transaction shares with its database.
  const built = new WeakMap<object, Bind<V>>()

  function bind(db: Db, values: V): CompiledQuery<O> {
    const { adapter } = db.getExecutor()
    let known = built.get(adapter)
    if (!known) {
      known = binderOf(build(db, named<V>()).compile())
      built.set(adapter, known)
    }
    return known(values) as CompiledQuery<O>
  }

  const all = async (db: Db, values: V) => (await db.executeQuery(bind(db, values))).rows
  return {
    all,
    first: async (db, values) => (await all(db, values))[0],
    run: async (db, values) => Number((await db.executeQuery(bind(db, values))).numAffectedRows ?? 0n),
  }
}

type Bind<V> = (values: V) => CompiledQuery

function binderOf<V extends object>(query: CompiledQuery): Bind<V> {
  const { parameters } = query
  return (values) => ({
    ...query,
    parameters: parameters.map((parameter) =>
      parameter instanceof Name ? values[parameter.name as keyof V] : parameter,
    ),
  })
}

/** Stands for a value while a query is built. */
class Name {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError(`${this.name} has no value yet: a prepared query cannot compute with it`)
  }
}

function named<V extends object>(): V {
  return new Proxy({}, { get: (_target, name) => new Name(String(name)) }) as V
}
