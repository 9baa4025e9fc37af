import { METHODS } from 'node:http'
import fc from 'fast-check'
import { type NamedOperation, type OpenApi, operationsOf, resolved } from '../../service/openapi.ts'
import { bodies, FORM_TYPE, JSON_TYPE, type Schema, type Sent } from './bodies.ts'
import { TOKEN_KINDS, type TokenKind } from './cast.ts'
import { headers, printable } from './headers.ts'

/** A request that somebody might send. */
export interface ArbitraryRequest extends Sent {
  method: string
  /** `{id}` stands for the id of a session or a factor. */
  target: string
  /** As the document has it, where the target is of one of its paths. */
  path?: string
  token: TokenKind
  headers: [name: string, value: string][]
}

/** Requests to every operation of a document: good ones, ones that are nearly good, and hostile ones. */
export function arbitraryRequests(document: OpenApi): fc.Arbitrary<ArbitraryRequest> {
  const operations = operationsOf(document)
  // Made once: to make what makes texts takes a hundred times what a text takes.
  const known = operations.map((one) => requestsTo(document, one))
  return fc.oneof(
    { weight: 8, arbitrary: fc.oneof(...known) },
    { weight: 1, arbitrary: anywhere(operations) },
  )
}

/** Requests to one operation: good ones, ones that are nearly good, and hostile ones. */
export function requestsTo(document: OpenApi, operation: NamedOperation): fc.Arbitrary<ArbitraryRequest> {
  const { method, path, requestBody } = operation
  const { content = {} } = requestBody ?? {}
  const schema = resolved(document, (content[JSON_TYPE] ?? content[FORM_TYPE])?.schema) as Schema | undefined
  const target = fc.tuple(ids, queries).map(([id, query]) => path.replace('{id}', id) + query)
  const request = fc.record({ target, token: tokensFor(operation), headers })
  const body = method === 'GET' ? fc.constant({}) : bodies(schema, Object.keys(content))
  return fc.tuple(request, body).map(([one, sent]) => ({ method, path, ...one, ...sent }))
}

/** Methods and paths that the document does not have. */
function anywhere(operations: readonly NamedOperation[]): fc.Arbitrary<ArbitraryRequest> {
  const method = fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT'))
  const paths = operations.map((one) => one.path)
  const path = fc.constantFrom(...paths)
  const odd = fc.oneof(
    path,
    fc
      .tuple(path, fc.constantFrom('/', '//', '/..', '%00', '%', '%2f', ';x=1', '.json', '%ff'))
      .map((parts) => parts.join('')),
    path.map((name) => `/${name}`),
    path.map((name) => name.toUpperCase()),
    fc.webPath().map((name) => `/${name}`),
    fc.string({ unit: printable, maxLength: 300 }).map((name) => `/${name}`),
    fc.constantFrom('/.git/config', '/__proto__', '/constructor', '/2fa/../me', '/docs/../me', '/%2e%2e/me'),
  )
  const request = fc.record({
    method,
    target: fc.tuple(odd, queries).map((parts) => parts.join('')),
    token: tokens,
    headers,
  })
  return fc.tuple(request, bodies(undefined)).map(([one, sent]) => {
    // A fragment is not for servers; the router ends the path there, too.
    const path = paths.find((known) => known === one.target.split(/[?#]/)[0])
    return { ...one, ...sent, ...(path && { path }) }
  })
}

const tokens = fc.constantFrom(...TOKEN_KINDS)

/** More often than not one that opens the route. */
function tokensFor({ security = [] }: NamedOperation): fc.Arbitrary<TokenKind> {
  const schemes = security.flatMap(Object.keys)
  const good: TokenKind[] = [
    ...(schemes.includes('mfaToken') ? (['mfa', 'mfa not enrolled'] as const) : []),
    ...(schemes.includes('accessToken') ? (['access'] as const) : []),
    ...(schemes.includes('serviceToken') ? (['service', 'service'] as const) : []),
    ...(schemes.includes('accountToken') ? (['account', 'account', 'account not enrolled'] as const) : []),
  ]
  if (good.length === 0) return tokens
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...good) }, { weight: 2, arbitrary: tokens })
}

const ids = fc.oneof(
  fc.constant('{id}'),
  fc.uuid(),
  fc.constantFrom('..', '%00', '%2e%2e%2fme', '__proto__', 'constructor', "'%20or%201=1--", 'x'.repeat(200)),
  fc
    .string({ unit: 'binary', maxLength: 40 })
    .filter((text) => text.isWellFormed())
    .map((text) => encodeURIComponent(text) || 'x'),
)

const queries = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom(
        '?',
        '?limit=1',
        '?limit=0',
        '?limit=1&limit=2',
        '?before=x',
        '?__proto__[x]=1',
        '?limit[]=1',
        '?access_token=x',
        '?%',
        '?limit=1e2',
        '?a.b=1',
      ),
      fc.webQueryParameters().map((query) => `?${query}`),
      fc.nat(200).map((limit) => `?limit=${limit}`),
    ),
  },
)
