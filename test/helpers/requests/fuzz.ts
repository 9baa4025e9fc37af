import fc from 'fast-check'
import { sql } from 'kysely'
import type { Test } from 'tap'
import { openapiDocuments } from '../../../src/cli/openapi-documents.ts'
import { problemCodes, problemStatus } from '../../../src/errors.ts'
import { PROBLEM_MEDIA_TYPE } from '../../../src/http/problem.ts'
import type { MailingService } from '../people/mail.ts'
import { onPostgres } from '../service/database.ts'
import { faultsByDocument, type NamedOperation, type OpenApi, operationsOf } from '../service/openapi.ts'
import type { Answer } from '../service/service.ts'
import { startService } from '../service/service.ts'
import { DEAD_TOKENS, makeCast } from './fuzz/cast.ts'
import { type ArbitraryRequest, arbitraryRequests, requestsTo } from './fuzz/requests.ts'
import { send } from './fuzz/send.ts'
import { listen } from './raw-socket.ts'

/** What takes longer hangs, on a slow and busy machine too. */
const PATIENCE_MS = 60_000

/** People are spent by requests that sign them out or delete them. */
const REQUESTS_FOR_ONE_CAST = 20

/** So many requests to one operation are enough for one of them to be granted, if any can be. */
const TRIES_OF_ONE_OPERATION = 2_000

/** Routes for people and tools, which the document does not describe. */
const UNDOCUMENTED = /^\/(docs|openapi\.(json|yaml))/

/** What the requests of this run are made from; said in its output, and taken from the environment to repeat it. */
function fuzzSeed(t: Test): number {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
  t.comment(`FUZZ_SEED=${seed} repeats this run`)
  return seed
}

interface Fuzz {
  requests: number
  policy: 'required' | 'optional'
  /** By its method and path: `GET /me`. */
  mustGrant?(operation: string): boolean
}

/**
 * Sends so many requests that no one would think of, and then, to each operation that has granted none of them, further
 * ones until it does, where that is asked for. Each must be answered in time as the document says, none as if something
 * had broken, and none with a made-up token as if it were a real one.
 */
export async function fuzz(t: Test, { requests, policy, mustGrant = () => false }: Fuzz): Promise<void> {
  const service = await startService(t, { mail: true, logLevel: 'info', environment: { MFA_POLICY: policy } })
  const { port } = await listen(service)
  const document: OpenApi = JSON.parse((await openapiDocuments()).json)
  const operations = operationsOf(document)
  const granting = new Set<string>()
  let cast = await makeCast(service)
  let sent = 0

  const seed = fuzzSeed(t)
  await fc.assert(fc.asyncProperty(arbitraryRequests(document), isAnsweredWell), { numRuns: requests, seed })
  for (const operation of operations) {
    const name = nameOf(operation)
    if (granting.has(name) || !mustGrant(name)) continue
    const tries = fc.sample(requestsTo(document, operation), { numRuns: TRIES_OF_ONE_OPERATION, seed })
    while (!granting.has(name) && tries.length > 0) await isAnsweredWell(tries.pop() as ArbitraryRequest)
    t.ok(granting.has(name), `${name} was granted`)
  }
  await isHealthy(t, service)

  async function isAnsweredWell(request: ArbitraryRequest): Promise<void> {
    if (sent % REQUESTS_FOR_ONE_CAST === 0) cast = await makeCast(service)
    sent += 1
    const startedAt = performance.now()
    const answer = await send(port, request, cast)
    const ms = performance.now() - startedAt

    const { method, path, target } = request
    // Other characters are no HTTP: they are answered before there is a route.
    const isHttp = /^[!-~]*$/.test(target)
    const operation = operations.find((one) => isHttp && one.method === method && one.path === path)
    const faults = operation
      ? faultsOf(document, operation, request, answer)
      : faultsElsewhere(request, answer)
    if (ms > PATIENCE_MS) faults.push(`it took ${ms} ms`)
    if (faults.length > 0) throw new Error(`${faults.join(', ')}: ${answer.status} ${answer.text}`)
    if (operation && answer.status < 300) granting.add(nameOf(operation))
  }
}

/** These look into the body for what opens them; the member that is named does so whatever stands in the header. */
const SHOWN_IN_BODY: Record<string, string | undefined> = {
  'POST /logout': '"refresh_token"',
  'POST /me/email/verify': '"token"',
  'POST /token/introspect': undefined,
}

const nameOf = ({ method, path }: NamedOperation) => `${method} ${path}`

function faultsOf(
  document: OpenApi,
  operation: NamedOperation,
  request: ArbitraryRequest,
  answer: Answer,
): string[] {
  const { content, token } = request
  const name = nameOf(operation)
  const member = SHOWN_IN_BODY[name]
  const isOpened = member !== undefined && JSON.stringify(content ?? '').includes(member)
  // 404: an id that is too long for the router comes to no guard.
  const refused = answer.status === 401 || answer.status === 404
  const opened = Object.hasOwn(SHOWN_IN_BODY, name)
    ? token !== 'none' && !isOpened && DEAD_TOKENS.includes(token) && answer.status < 300
    : operation.security?.length && DEAD_TOKENS.includes(token) && !refused
  return [
    ...(opened ? ['a token of nobody opened the route'] : []),
    ...(answer.status >= 400 ? faultsOfError(answer) : []),
    ...faultsByDocument(document, operation, answer),
  ]
}

function faultsElsewhere({ method, target }: ArbitraryRequest, answer: Answer): string[] {
  const bodiless = method === 'HEAD'
  if (answer.status >= 500) return ['something broke']
  if (answer.status >= 400) return bodiless ? [] : faultsOfProblem(answer)
  return bodiless || UNDOCUMENTED.test(target) ? [] : ['nothing should be there']
}

/** As OAuth has it, or a problem. */
function faultsOfError(answer: Answer): string[] {
  if (answer.body?.error === undefined) return faultsOfProblem(answer)
  return answer.status >= 500 ? ['something broke'] : []
}

function faultsOfProblem({ status, headers, body }: Answer): string[] {
  if (!String(headers['content-type']).startsWith(PROBLEM_MEDIA_TYPE))
    return ['an error that is no problem+json']
  const code = problemCodes.find((name) => name === body.code)
  if (status >= 500) return ['something broke']
  if (!code) return ['a code that is not in the catalogue']
  return problemStatus(code) === status && body.status === status ? [] : ['a code of another status']
}

/** The service works as before, its tables are in order, and its log has nothing to say. */
async function isHealthy(t: Test, service: MailingService): Promise<void> {
  t.equal((await service.get('/readyz')).status, 200, 'the service is ready')
  const { secret } = await makeCast(service)
  t.ok(secret('access token'), 'people can still register and sign in')
  if (!onPostgres) {
    t.strictSame((await sql`pragma integrity_check`.execute(service.db)).rows, [{ integrity_check: 'ok' }])
    t.strictSame((await sql`pragma foreign_key_check`.execute(service.db)).rows, [])
  }
  // A line that is not one JSON text would throw here.
  const lines = service.logLines.map((line) => JSON.parse(line))
  t.ok(
    lines.length > 0 && lines.every(({ time }) => time.endsWith('Z')),
    'each line of the log is JSON, with its time in UTC',
  )
  t.notOk(
    service.logLines.some((line) => line.indexOf('\n') !== line.length - 1),
    'and one line',
  )
  t.strictSame(
    lines.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
    'nothing broke within',
  )
}
