import t from 'tap'
import { PASSWORD, startService } from '../helpers/service.ts'

/** A page of a foreign origin must not use a person's browser to call the API; a page of ours must be able to. */

const OURS = 'https://app.example.com'
const environment = { CORS_ORIGINS: `${OURS}, http://localhost:5173` }
const allowed = 'access-control-allow-origin'

t.test('a page of a listed origin may read answers, errors too', async (t) => {
  const service = await startService(t, { environment })
  for (const origin of [OURS, 'http://localhost:5173']) {
    const headers = { origin }
    const answer = await service.post('/login', { username: 'ada', password: PASSWORD }, undefined, {
      headers,
    })
    t.equal(answer.status, 401)
    t.equal(answer.headers[allowed], origin)
    t.match(answer.headers.vary, /origin/i, 'a cache keeps the answers apart')
    t.equal((await service.get('/nowhere', undefined, { headers })).headers[allowed], origin)
  }
})

t.test('its preflight request says what it may send', async (t) => {
  const service = await startService(t, { environment })
  const headers = {
    origin: OURS,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  }
  const answer = await service.get('/2fa/setup', undefined, { method: 'OPTIONS', headers })
  t.equal(answer.status, 204)
  t.match(answer.headers, {
    [allowed]: OURS,
    'access-control-allow-methods': /POST/,
    'access-control-allow-headers': /authorization/i,
  })
  t.notOk('access-control-allow-credentials' in answer.headers, 'there are no cookies to send')
})

t.test('half a preflight request grants nothing', async (t) => {
  const service = await startService(t, { environment })
  const { status, text } = await service.get('/login', undefined, { method: 'OPTIONS' })
  t.equal(status, 204)
  t.equal(text, '')
})

t.test('any other origin gets nothing', async (t) => {
  const service = await startService(t, { environment })
  const others = [
    'https://evil.example',
    `${OURS}.evil.example`,
    'http://app.example.com',
    'null',
    `${OURS}:8443`,
  ]
  for (const origin of others)
    t.notOk(allowed in (await service.get('/', undefined, { headers: { origin } })).headers, origin)
})

t.test('with no origins listed there are no such headers at all', async (t) => {
  const service = await startService(t)
  const { headers } = await service.get('/', undefined, { headers: { origin: OURS } })
  t.strictSame(
    Object.keys(headers).filter((name) => name.startsWith('access-control')),
    [],
  )
})
