import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import type { Test } from 'tap'
import type { MailingService } from '../people/mail.ts'
import { type Scenario, send } from '../people/scenarios.ts'
import { outcomeOf } from '../requests/burst.ts'
import { isProblem } from '../requests/problems.ts'
import { onPostgres } from '../service/database.ts'
import type { Answer, Service } from '../service/service.ts'
import { startService } from '../service/service.ts'
import { watchingStatements } from '../service/statements.ts'

const MESSAGE = 'a fault of the test'

/** As from a broken disk. */
const fault = () =>
  onPostgres
    ? Object.assign(new pg.DatabaseError(MESSAGE, MESSAGE.length, 'error'), {
        severity: 'ERROR',
        code: '58030',
      })
    : new BetterSqlite3.SqliteError(MESSAGE, 'SQLITE_IOERR')

/**
 * Lets the n-th statement that reaches the database fail. Beginnings and ends of transactions are statements, too.
 *
 * @param n from 1 on.
 * @returns whether there were as many statements as that.
 */
export async function failingCall<T>(
  { databaseUrl }: Service,
  n: number,
  work: () => Promise<T>,
): Promise<{ result: T; failed: boolean }> {
  let calls = 0
  const see = () => {
    calls += 1
    if (calls === n) throw fault()
  }
  const result = await watchingStatements(databaseUrl, see, work)
  return { result, failed: calls >= n }
}

/**
 * Sends a right request once for each statement that it makes, and that one fails: the answer is 503 and the log
 * says why; then the same request, as a client would send it again, is as right as it was. In the end none fails.
 */
export async function failEachCall(t: Test, route: string, scenario: Scenario): Promise<void> {
  const { environment = {} } = scenario
  const service = await startService(t, { mail: true, environment })
  const once = (request: Parameters<typeof send>[2]) => send(service, route, request)
  for (let n = 1; ; n += 1) {
    const request = await scenario.prepare(service, `ada-${n}`)
    service.logLines.length = 0
    const { result, failed } = await failingCall(service, n, () => once(request))
    if (failed) {
      if (result.body.error)
        t.match(result, { status: 503, body: { error: 'unavailable' } }, `statement ${n} fails`)
      else isProblem(t, result, 'unavailable', `statement ${n} fails`)
      isLogged(t, service, result)
    }
    const succeeded = failed ? await once(request) : result
    t.equal(outcomeOf(succeeded), String(scenario.status), `with ${n - 1} before it the request succeeds`)
    t.equal(outcomeOf(await once(request)), scenario.again ?? String(scenario.status), 'and then once more')
    t.strictSame(await service.invariants.broken(), {})
    if (!failed) return t.comment(`${n - 1} statements`)
  }
}

function isLogged(t: Test, { logLines }: MailingService, { headers }: Answer): void {
  const errors = logLines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error')
  t.match(errors, [{ request_id: headers['x-request-id'], err: { message: MESSAGE } }], 'the log says so')
}
