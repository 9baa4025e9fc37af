import t from 'tap'
import { isProblem } from '../helpers/requests/problems.ts'
import { listen, requestTarget } from '../helpers/requests/raw-socket.ts'
import { PASSWORD, register, startService } from '../helpers/service/service.ts'

/**
 * Where a guard looks at a path in one spelling and the router in another, an odd spelling walks past the
 * guard. Here the guard belongs to the route itself, so another spelling is another path: one that is not there.
 */

const service = await startService(t)
const { mfaToken } = await register(service)
const credentials = { username: 'ada', password: PASSWORD }

const call = async (method: string, url: string, body?: unknown, token?: string) =>
  service.post(url, body, token, { method: method as 'GET' })

t.test('a path that is not there is not found, whatever is sent to it', async (t) => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'])
    isProblem(t, await call(method, '/nowhere'), 'not_found', `${method} without a body`)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    isProblem(t, await call(method, '/nowhere', { a: 1 }), 'not_found', `${method} with a body`)
    const garbage = { payload: '{', headers: { 'content-type': 'application/json' } }
    isProblem(t, await service.post('/nowhere', undefined, undefined, garbage), 'not_found', 'with garbage')
    const text = { payload: 'x', headers: { 'content-type': 'text/plain' } }
    isProblem(t, await service.post('/nowhere', undefined, undefined, text), 'not_found', 'with a text')
  }
})

t.test('a path that is there for other methods says which (RFC 9110 section 15.5.6)', async (t) => {
  const allowed = {
    '/register': 'POST',
    '/login': 'POST',
    '/2fa/setup': 'POST',
    '/2fa/verify': 'POST',
    '/me': 'DELETE, GET, HEAD',
    '/2fa': 'DELETE, GET, HEAD',
    '/2fa/email': 'POST, PUT',
    '/2fa/factors/some-id': 'DELETE, PATCH',
    '/2fa/passkeys': 'POST',
    '/login/passkey': 'POST',
    '/me/email': 'PUT',
    '/sessions/some-id': 'DELETE',
    '/.well-known/jwks.json': 'GET, HEAD',
    '/': 'GET, HEAD',
    '/config': 'GET, HEAD',
    '/problems': 'GET, HEAD',
    '/livez': 'GET, HEAD',
    '/readyz': 'GET, HEAD',
    '/openapi.json': 'GET, HEAD',
    '/openapi.yaml': 'GET, HEAD',
  }
  for (const [url, allow] of Object.entries(allowed))
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (allow.includes(method)) continue
      for (const body of method === 'GET' ? [undefined] : [undefined, credentials]) {
        const answer = await call(method, url, body)
        isProblem(t, answer, 'method_not_allowed', `${method} ${url} with ${body ? 'a' : 'no'} body`)
        t.equal(answer.headers.allow, allow)
      }
    }
})

t.test('HEAD answers like GET, without a body', async (t) => {
  for (const url of ['/', '/livez', '/readyz', '/.well-known/jwks.json', '/openapi.json']) {
    const head = await call('HEAD', url)
    const get = await call('GET', url)
    t.equal(head.status, 200, url)
    t.equal(head.text, '')
    for (const name of ['content-type', 'content-length', 'cache-control'])
      t.equal(head.headers[name], get.headers[name], `${url}: ${name}`)
  }
  t.equal((await call('HEAD', '/me')).status, 401, 'and asks for the same token')
  t.equal((await call('HEAD', '/login')).status, 405)
})

t.test('TRACE echoes nothing: an answer with the request in it would show its token', async (t) => {
  const answer = await call('TRACE', '/me', undefined, mfaToken)
  t.ok([404, 405].includes(answer.status))
  t.notMatch(answer.text, mfaToken)
})

t.test('an odd spelling of a path is not a way around its guard', async (t) => {
  const spellings = [
    '//2fa/setup',
    '/2fa//setup',
    '//2fa//setup',
    '/2fa/setup/',
    '/2fa/setup;x',
    '/2fa/setup;/',
    '/2fa/./setup',
    '/2fa/x/../setup',
    '/./2fa/setup',
    '/2FA/setup',
    '/2fa/Setup',
    '/2fa%2fsetup',
    '/2fa%2Fsetup',
    '/2fa%252fsetup',
    '/2fa\\setup',
    '/2fa/setup%00',
    '/2fa/setup%20',
    '/2fa/setup%2e',
    '/2fa/setup.json',
    '/2fa/setup%3f',
    '/2fa/setup%23',
    '/*',
  ]
  const { port } = await listen(service)
  for (const target of spellings) {
    isProblem(t, await requestTarget(port, 'POST', target), 'not_found', `${target} without a token`)
    isProblem(t, await requestTarget(port, 'POST', target, mfaToken), 'not_found', `${target} with a token`)
  }
  for (const target of [
    '/%32fa/setup',
    '/2f%61/setup',
    '/2fa/%73etup',
    '/2fa/setup?x=1',
    '/2fa/setup#x',
    'http://x/2fa/setup',
  ])
    isProblem(t, await requestTarget(port, 'POST', target), 'invalid_token', `${target} has the same guard`)
})

t.test('a path that cannot be decoded is not found', async (t) => {
  for (const url of ['/%zz', '/%', '/%e0%a4%a', '/%ff', '/me%', '/2fa/%c0%afsetup', `/${'a'.repeat(4000)}`])
    isProblem(t, await call('GET', url), 'not_found', url.slice(0, 40))
})

t.test('a method override is a header like any other', async (t) => {
  const headers = { 'x-http-method-override': 'POST', 'x-http-method': 'POST', 'x-original-url': '/livez' }
  isProblem(t, await service.get('/login', undefined, { headers }), 'method_not_allowed')
  isProblem(t, await service.get('/login?_method=POST', undefined, { headers }), 'method_not_allowed')
})
