import { type AliasableExpression, type Compilable, type CompiledQuery, sql } from 'kysely'
import type { Db } from './engine.ts'
import { heldConnection } from './held-connection.ts'

/** A value for a database. `undefined` is not one: a query of one shape has all its values. */
type Value = string | number | null

const texts = new Set<string>()
const unawaited = new WeakSet<readonly unknown[]>()

/** Whether a query is one of those that are built once. */
export const isPrepared = (text: string) => texts.has(text)
/** Whether the result of the query with these values is not read. */
export const isUnawaited = (values: readonly unknown[]) => unawaited.has(values)

/** Names a value of the query that is being built. The value itself is not known yet. */
export type Params<V> = <N extends keyof V & string>(name: N) => AliasableExpression<V[N]>

/** A query that is built once and run many times, each time with other values. */
export interface Prepared<V, O> {
  /** @returns every row. */
  all(db: Db, values: V): Promise<O[]>
  /** @returns the first row. */
  first(db: Db, values: V): Promise<O | undefined>
  /**
   * Runs a query that returns no rows. Within a transaction on PostgreSQL it goes along with the next statement, which
   * then fails with its error.
   */
  run(db: Db, values: V): Promise<void>
  /** @returns whether it wrote exactly one row. */
  wroteOne(db: Db, values: V): Promise<boolean>
}

/**
 * Builds a query once for each database and not at each call: Kysely makes a tree of objects and writes SQL from it,
 * which costs many times what SQLite takes for a row by its key.
 *
 * The builder gets names and no values, so the shape of the query cannot depend on a value. Code that would try to (a
 * condition, a comparison, arithmetic, a template string) is a type error where TypeScript sees it, and a TypeError
 * at the first use elsewhere.
 *
 * Prepared are the queries of the routes that apps call all day (`POST /login`, `POST /2fa/verify`, `POST
 * /token/refresh`, `POST /token/introspect` and `GET /me`; a test holds them to it) and the queries that count wrong
 * passwords and codes. All others are built at each call, which is simpler to read.
 *
 * @param build places each `param(name)` that it makes in the query.
 */
export function prepared<V extends { [N in keyof V]-?: Value }, O>(
  build: (db: Db, param: Params<V>) => Compilable<O>,
): Prepared<V, O> {
  // By the adapter, which a database shares with its transactions.
  const built = new WeakMap<object, (values: V) => CompiledQuery<O>>()

  function bind(db: Db, values: V): CompiledQuery<O> {
    const { adapter } = db.getExecutor()
    let known = built.get(adapter)
    if (!known) {
      known = compile(db, build)
      built.set(adapter, known)
    }
    return known(values)
  }

  // Kysely's own way to a connection that is bound takes several promises for each statement.
  const execute = (db: Db, query: CompiledQuery<O>) =>
    heldConnection(db)?.executeQuery<O>(query) ?? db.executeQuery(query)
  const run = (db: Db, values: V) => execute(db, bind(db, values))
  function write(db: Db, values: V) {
    const query = bind(db, values)
    unawaited.add(query.parameters)
    return execute(db, query)
  }
  return {
    all: async (db, values) => (await run(db, values)).rows,
    first: async (db, values) => (await run(db, values)).rows[0],
    run: async (db, values) => void (await write(db, values)),
    wroteOne: async (db, values) => (await run(db, values)).numAffectedRows === 1n,
  }
}

function compile<V extends object, O>(
  db: Db,
  build: (db: Db, param: Params<V>) => Compilable<O>,
): (values: V) => CompiledQuery<O> {
  const made: Param[] = []
  const query = build(db, (name) => {
    const param = new Param(name)
    made.push(param)
    return Object.assign(sql<V[typeof name]>`${param}`, { [Symbol.toPrimitive]: () => param.refuse() })
  }).compile()
  const { parameters } = query
  texts.add(query.sql)
  for (const param of made)
    if (!parameters.includes(param))
      throw new TypeError(`${param.name} was asked for and has no place in the query`)

  return (values) => ({
    ...query,
    parameters: parameters.map((it) => (it instanceof Param ? valueFor(values, it) : it)),
  })
}

function valueFor(values: object, { name }: Param): unknown {
  const value = (values as Record<string, unknown>)[name]
  if (value === undefined) throw new TypeError(`A prepared query was given no value for ${name}`)
  return value
}

/** Stands for a value while a query is built, and among its parameters afterwards. */
class Param {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  refuse(): never {
    throw new TypeError(`${this.name} has no value yet: a prepared query cannot compute with it`)
  }
}
