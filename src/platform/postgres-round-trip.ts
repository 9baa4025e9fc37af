import { createHash } from 'node:crypto'
import pg from 'pg'
import { isSettings, type Statement } from './postgres-settings.ts'
import { isPrepared } from './prepared.ts'

/** A connection, and the names of what its session has prepared: without them where no session stays with it. */
export type Session = pg.ClientBase & { prepared?: Set<string> | undefined }

declare module 'pg' {
  interface Query {
    text: string
    name?: string | undefined
    queryMode: string
    prepare(connection: pg.Connection): void
    hasBeenParsed(connection: pg.Connection): boolean
  }
}

const FRAME = ['begin', 'commit', 'rollback']

/** Whether a session keeps the statement, so that the server parses and plans it once. */
export const isKept = (text: string) => isPrepared(text) || isSettings(text) || FRAME.includes(text)

/**
 * Statements that go to the server together. What comes before one `Sync` is one transaction unless it holds a `begin`
 * (PostgreSQL's "Message Flow", Pipelining): after one that fails, none runs.
 */
class RoundTrip extends pg.Query {
  readonly statements: readonly Statement[]
  readonly #session: Session
  #new: string[] = []

  constructor(
    statements: readonly Statement[],
    session: Session,
    done: (error: Error | undefined, results: pg.QueryResult[]) => void,
  ) {
    const { text, values } = statements.at(-1) as Statement
    super(text, [...values], (error, results: pg.QueryResult | pg.QueryResult[]) => {
      if (!error) for (const name of this.#new) session.prepared?.add(name)
      // One text may be several statements, of which the result of the last counts.
      done(error, [results].flat().slice(-statements.length))
    })
    if (statements.length > 1 || isKept(text)) this.queryMode = 'extended'
    this.statements = statements
    this.#session = session
  }

  override prepare(connection: pg.Connection): void {
    for (const { text, values, waiting } of this.statements.slice(0, -1)) {
      const statement = this.#parse(connection, text)
      connection.bind({ statement, values: values.map(toText) }, false)
      // Without a description its rows could not be read.
      if (waiting) connection.describe({ type: 'P', name: '' }, false)
      connection.execute({}, false)
    }
    this.name = this.#parse(connection, this.text)
    super.prepare(connection)
  }

  override hasBeenParsed(): boolean {
    return true
  }

  /** Parses it unless the session has it. One that failed may have left it there or not. */
  #parse(connection: pg.Connection, text: string): string {
    const { prepared } = this.#session
    const name = prepared && isKept(text) ? nameOf(text) : ''
    if (prepared?.has(name)) return name
    if (name) {
      this.#new.push(name)
      connection.close({ type: 'S', name } as Parameters<typeof connection.close>[0], false)
    }
    connection.parse({ text, name } as Parameters<typeof connection.parse>[0], false)
    return name
  }
}

const names = new Map<string, string>()

/** The same text has the same name in every process, since a session may change hands without our knowing. */
function nameOf(text: string): string {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('base64url')
  names.set(text, name)
  return name
}

/** The values of statements that were built once, which are of three types. */
const toText = (value: unknown) => (value === null ? null : String(value))

/**
 * Runs statements in one round trip. All but the last are kept ones.
 *
 * @param silenceMs when a server that says nothing is given up; 0 for never.
 * @returns the result of each; without rows unless it is waited for or the last.
 */
export function runTogether(
  session: Session,
  statements: readonly Statement[],
  silenceMs: number,
): Promise<pg.QueryResult[]> {
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult[]>()
  const query = new RoundTrip(statements, session, (error, results) =>
    error ? reject(error) : resolve(results),
  )
  session.query(Object.assign(query, { query_timeout: silenceMs }))
  return promise
}
