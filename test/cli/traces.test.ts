import t from 'tap'
import { MAIL_FROM } from '../helpers/people/mail.ts'
import { startCollector } from '../helpers/programs/collector.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { remote } from '../helpers/programs/remote.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'
import { PASSWORD } from '../helpers/service/service.ts'

/** Who follows a request through several services must find it here, and learn nothing that is not theirs to know. */

const ERROR = 2
const SERVER = 2

t.test('a request leaves a trace with its route, its id and what it waited for', async (t) => {
  const collector = await startCollector(t)
  const smtp = await startMailServer(t)
  const server = await startProcess(t, {
    ...(await sharedEnvironment(t)),
    ...collector.environment,
    SMTP_URL: smtp.url,
    MAIL_FROM,
    EMAIL_CODES: 'on',
    TRUST_PROXY: '127.0.0.1',
  })
  const { post, get } = remote(server.url)
  const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
  const traceparent = `00-${caller.traceId}-${caller.spanId}-01`

  const ada = { username: 'planted-name', password: PASSWORD, email: 'planted@example.com' }
  const registered = await post('/register', ada, undefined, { headers: { traceparent } })
  t.equal(registered.status, 201)
  await post('/2fa/email', undefined, registered.body.mfa_token)
  const refused = await get('/me?access_token=planted-token')
  await get('/planted-path')
  server.signal('SIGINT')
  t.equal((await server.ended).code, 0, 'what was not sent yet is sent before the end')

  const { spans } = collector
  const spanOf = ({ headers }: { headers: Record<string, unknown> }) =>
    spans.find(({ attributes }) => attributes['keyturn.request_id'] === headers['x-request-id'])

  const registering = spanOf(registered)
  t.match(registering, {
    name: 'POST /register',
    kind: SERVER,
    traceId: caller.traceId,
    parentSpanId: caller.spanId,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/register',
      'http.response.status_code': 201,
    },
  })
  const within = (name: string) => spans.find((span) => span.name === name)
  t.match(within('hash password'), { traceId: caller.traceId, parentSpanId: registering?.spanId })
  const mailing = spans.find(({ name }) => name === 'POST /2fa/email')
  t.ok(mailing)
  t.match(within('send mail'), { traceId: mailing?.traceId, parentSpanId: mailing?.spanId })

  t.match(spanOf(refused), {
    name: 'GET /me',
    attributes: { 'http.response.status_code': 401, 'error.type': 'invalid_token' },
  })
  t.not(spanOf(refused)?.status.code, ERROR, 'a mistake of the client is no fault of the service')
  t.ok(
    spans.some(({ name, attributes }) => name === 'GET' && attributes['http.response.status_code'] === 404),
  )
  t.notMatch(JSON.stringify(spans), /planted/, 'no name, address, token or path is in them')
  t.ok(collector.serviceNames.every((name) => name === 'keyturn'))
})

// A stranger would take requests out of the traces (`-00`), or file them under the trace of another one.
t.test('the trace of a caller is believed only from a proxy that TRUST_PROXY names', async (t) => {
  const collector = await startCollector(t)
  const server = await startProcess(t, {
    ...(await sharedEnvironment(t)),
    ...collector.environment,
    TRUST_PROXY: '192.0.2.1',
  })
  const { get } = remote(server.url)
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  for (const sampled of ['00', '01'])
    await get('/me', undefined, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-${sampled}` } })
  server.signal('SIGTERM')
  await server.ended
  t.equal(collector.spans.filter(({ name }) => name === 'GET /me').length, 2)
  t.notOk(collector.spans.some((span) => span.traceId === traceId))
})

t.test('a fault of the service marks its span, and a collector that is gone holds nothing up', async (t) => {
  const collector = await startCollector(t)
  const smtp = await startMailServer(t)
  smtp.behave({ refuse: ['data', 451] })
  const server = await startProcess(t, {
    ...(await sharedEnvironment(t)),
    ...collector.environment,
    SMTP_URL: smtp.url,
    MAIL_FROM,
    EMAIL_CODES: 'on',
    OTEL_SERVICE_NAME: 'identity',
  })
  const { post } = remote(server.url)
  const ada = { username: 'ada', password: PASSWORD, email: 'ada@example.com' }
  const { mfa_token } = (await post('/register', ada)).body
  t.equal((await post('/2fa/email', undefined, mfa_token)).status, 503)
  server.signal('SIGINT')
  await server.ended
  t.match(
    collector.spans.find(({ name }) => name === 'POST /2fa/email'),
    { status: { code: ERROR }, attributes: { 'error.type': 'email_delivery_failed' } },
  )
  t.ok(collector.serviceNames.every((name) => name === 'identity'))

  const alone = await startProcess(t, {
    ...(await sharedEnvironment(t)),
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  })
  t.equal((await remote(alone.url).post('/register', { username: 'ada', password: PASSWORD })).status, 201)
  alone.signal('SIGINT')
  const { code, stdout } = await alone.ended
  t.equal(code, 0)
  for (const line of stdout.trim().split('\n')) t.doesNotThrow(() => JSON.parse(line), 'the log stays JSON')
})
