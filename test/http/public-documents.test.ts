import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { startService } from '../helpers/service/service.ts'

const DOCUMENTS = [
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/config',
  '/openapi.json',
  '/openapi.yaml',
  '/problems',
  '/docs/',
  '/docs/static/theme/page.css',
]

t.test('who has a public document already is told so', async (t) => {
  const { app } = await startService(t)
  for (const url of DOCUMENTS) {
    const first = await app.inject({ url })
    const { etag = '' } = first.headers
    t.match(etag, /^W\/"[\w-]{43}"$/, url)
    t.match(first.headers['cache-control'], /^public, max-age=\d+$/)
    for (const tags of [etag, `"other", ${etag}`, String(etag).slice(2), '*']) {
      const again = await app.inject({ url, headers: { 'if-none-match': tags } })
      t.equal(again.statusCode, 304, tags)
      t.equal(again.body, '')
      t.equal(again.headers.etag, etag)
    }
    const head = await app.inject({ method: 'HEAD', url, headers: { 'if-none-match': etag } })
    t.equal(head.statusCode, 304, `HEAD ${url}`)
    t.equal(head.headers['content-length'], first.headers['content-length'], 'that of the document')
    t.equal((await app.inject({ url, headers: { 'if-none-match': '"other"' } })).statusCode, 200)
  }
})

t.test('a long one is compressed for who takes that, and names what it varies by', async (t) => {
  const { app } = await startService(t, { environment: { CORS_ORIGINS: 'https://app.example.com' } })
  const url = '/openapi.json'
  const [plain, compressed] = [
    await app.inject({ url, headers: { 'accept-encoding': 'gzip;q=0' } }),
    await app.inject({ url, headers: { 'accept-encoding': 'br, gzip' } }),
  ]
  t.equal(plain.headers['content-encoding'], undefined)
  t.equal(compressed.headers['content-encoding'], 'gzip')
  t.equal(gunzipSync(compressed.rawPayload).toString(), plain.body)
  t.equal(plain.headers.etag, compressed.headers.etag)
  t.equal((await app.inject({ url })).body, plain.body, 'not for who asks for nothing')
  for (const { headers } of [plain, compressed]) t.equal(headers.vary, 'Origin, Accept-Encoding')
  const head = await app.inject({ method: 'HEAD', url, headers: { 'accept-encoding': 'gzip' } })
  t.match(head.headers, { etag: plain.headers.etag, 'content-encoding': 'gzip' })
  t.equal(head.body, '')
})

t.test('a short one is sent as it is, and what is not public has no tag', async (t) => {
  const { app } = await startService(t)
  const headers = { 'accept-encoding': 'gzip' }
  t.equal((await app.inject({ url: '/config', headers })).headers['content-encoding'], undefined)
  for (const url of ['/livez', '/me', '/nowhere'])
    t.match((await app.inject({ url, headers })).headers, { etag: undefined, 'cache-control': 'no-store' })
})

t.test('the document of the page is the one that is made once', async (t) => {
  const { app } = await startService(t)
  for (const form of ['json', 'yaml']) {
    const { headers, statusCode } = await app.inject(`/docs/${form}`)
    t.equal(statusCode, 308)
    t.equal(headers.location, `/openapi.${form}`)
  }
})
