// The attack: reading the log, a copy of the database or an error message, and signing in with what stands there.
// Every secret of a whole life of an account, right and wrong, is looked for in all three.
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { outcomeOf } from '../helpers/burst.ts'
import { makeNeedles, type Needles } from '../helpers/needles.ts'
import { sharedEnvironment, startProcess } from '../helpers/process.ts'
import { type Answer, type Service, startService } from '../helpers/service.ts'
import { decodeBase32, totp } from '../helpers/totp.ts'

const newPassword = () => `planted ${randomUUID()}`
const newToken = () => `planted${randomBytes(24).toString('base64url')}`

/** Signs up and in with every kind of secret, and notes each. */
async function liveALife(service: Service, needles: Needles): Promise<Answer[]> {
  const password = needles.add('password', newPassword())
  const answers: Answer[] = []
  const post = async (...call: Parameters<Service['post']>) => {
    const answer = await service.post(...call)
    answers.push(answer)
    for (const name of ['mfa_token', 'access_token', 'refresh_token', 'secret', 'otpauth_uri'] as const)
      if (answer.body?.[name]) needles.add(name, answer.body[name])
    for (const name of ['mfa_token', 'access_token'] as const)
      if (answer.body?.[name]) needles.add(`signature of ${name}`, answer.body[name].split('.')[2])
    return answer
  }
  const logIn = async () => (await post('/login', { username: 'ada', password })).body.mfa_token

  const registered = await post('/register', { username: 'ada', password, email: 'ada@example.com' })
  const { mfa_token } = registered.body
  await post('/2fa/setup', undefined, mfa_token, { headers: { accept: 'text/plain' } })
  const { secret } = (await post('/2fa/setup', undefined, mfa_token)).body
  needles.add('raw TOTP secret', decodeBase32(secret))
  const codeNow = () => needles.addCode('code', totp(secret, service.clock.now()))

  const confirmed = await post('/2fa/verify', { code: codeNow() }, mfa_token)
  const codes: string[] = confirmed.body.recovery_codes
  for (const code of codes) {
    needles.add('recovery code', code)
    needles.add('recovery code without dashes', code.replaceAll('-', ''))
  }
  await post('/2fa/verify', { code: codes[0], method: 'recovery_code' }, await logIn())
  await post('/2fa/verify', { code: codes[0], method: 'recovery_code' }, await logIn())
  service.clock.advance(30)
  await post('/2fa/verify', { code: codeNow() }, await logIn())
  await post('/2fa/verify', { code: codeNow() }, await logIn())
  return answers
}

/** Puts a password, a code and tokens where they do not belong, as people and clients do by mistake. */
async function makeMistakes(service: Service, needles: Needles): Promise<Answer[]> {
  const password = needles.add('misplaced password', newPassword())
  const token = needles.add('misplaced token', newToken())
  const basic = needles.add('basic credentials', Buffer.from(`ada:${password}`).toString('base64'))
  const code = needles.addCode('misplaced code', '739182')
  const whole = JSON.stringify({ username: 'ada', password, code, token })
  const send = (url: string, payload: string, headers: Record<string, string> = {}, bearer?: string) =>
    service.post(url, undefined, bearer, {
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    })

  const answers: Answer[] = []
  for (const url of ['/login', '/register', '/2fa/verify', '/2fa/setup', '/nowhere', `/nowhere/${token}`])
    answers.push(
      await send(url, whole),
      await send(url, whole, {}, token),
      await send(url, whole.slice(0, -1)),
      await send(url, `"${password}"`),
      await send(url, `${whole}${whole}`),
      await send(url, whole.padEnd(20_000)),
      await send(url, `username=ada&password=${password}`, { 'content-type': 'text/plain' }),
      await send(url, whole, { 'content-type': `application/json; password="${password}"` }),
      await send(url, whole, { 'content-type': token }),
      await send(`${url}?password=${encodeURIComponent(password)}&token=${token}&code=${code}`, whole),
    )
  answers.push(
    await service.post('/login', { username: password, password: 'x' }),
    await service.post('/login', { username: 'ada', password }),
    await service.post('/register', { username: password, password: token }),
    await service.post('/register', { username: 'ada', password, email: `${token}@` }),
    await service.get(`/%zz${token}`),
    await service.get(`/docs/${token}`),
    await service.get(`/me?access_token=${token}`, token),
  )
  for (const [name, value] of [
    ['authorization', `Basic ${basic}`],
    ['authorization', `Bearer ${token}`],
    ['authorization', token],
    ['proxy-authorization', `Bearer ${token}`],
    ['cookie', `session=${token}`],
    ['referer', `https://app.example.com/?token=${token}`],
    ['origin', `https://${token}.example.com`],
    ['accept', `image/${token}`],
    ['x-api-key', token],
    ['x-request-id', token],
    ['x-forwarded-for', token],
    ['x-forwarded-host', token],
    ['host', `${token}.example.com`],
  ] as const)
    answers.push(
      await service.get('/me', undefined, { headers: { [name]: value } }),
      await service.post('/2fa/setup', undefined, undefined, { headers: { [name]: value } }),
    )
  return answers
}

/** Breaks the database under a sign-in in several places. */
async function breakThings(service: Service, needles: Needles): Promise<Answer[]> {
  const password = needles.add('password during a fault', newPassword())
  const registered = await service.post('/register', { username: 'grace', password })
  const token = needles.add('mfa token during a fault', registered.body.mfa_token)
  const setup = await service.post('/2fa/setup', undefined, token)
  const { secret } = setup.body
  needles.add('TOTP secret during a fault', secret)
  const code = needles.addCode('code during a fault', totp(secret, service.clock.now()))

  const answers: Answer[] = []
  for (const table of ['sessions', 'challenges', 'recovery_codes', 'failure_counters', 'totp_factors']) {
    await sql`alter table ${sql.table(table)} rename to away`.execute(service.db)
    answers.push(
      await service.post('/2fa/verify', { code }, token),
      await service.post('/2fa/setup', undefined, token),
      await service.post('/login', { username: 'grace', password }),
    )
    await sql`alter table away rename to ${sql.table(table)}`.execute(service.db)
  }
  await service.db.updateTable('totp_factors').set({ sealed_secret: 'broken' }).execute()
  answers.push(await service.post('/2fa/verify', { code }, token))
  await service.db.updateTable('accounts').set({ password_hash: 'broken' }).execute()
  answers.push(await service.post('/login', { username: 'grace', password }))
  return answers
}

async function databaseBytes({ db, databasePath }: Service): Promise<Buffer> {
  const files = ['', '-wal', '-shm'].map((suffix) => `${databasePath}${suffix}`)
  const read = () => files.filter((file) => existsSync(file)).map((file) => readFileSync(file))
  const before = read()
  await sql`pragma wal_checkpoint(truncate)`.execute(db)
  return Buffer.concat([...before, ...read()])
}

function addKeys(service: Service, rootKey: Buffer, needles: Needles): void {
  const { privateKeyPem } = service.deps.signingKeys.current()
  const lines = privateKeyPem.split('\n').filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line))
  for (const line of lines) needles.add('signing key', line)
  needles.add('signing key', Buffer.from(lines.join(''), 'base64'))
  needles.add('root key', rootKey)
  const { primary } = makeKeyRing([rootKey])
  for (const purpose of ['mfa token', 'secret box']) needles.add(`${purpose} key`, primary.derive(purpose))
}

for (const logLevel of ['info', 'trace'])
  t.test(`neither log, database nor refusals hold a secret, at level ${logLevel}`, async (t) => {
    const rootKey = randomBytes(32)
    const service = await startService(t, { logLevel, rootKeys: [rootKey] })
    const needles = makeNeedles()
    addKeys(service, rootKey, needles)

    const life = await liveALife(service, needles)
    const mistakes = await makeMistakes(service, needles)
    const faults = await breakThings(service, needles)
    t.ok(faults.some(({ status }) => status === 503) && faults.some(({ status }) => status === 500))
    t.ok(faults.filter(({ status }) => status >= 500).length > 6, 'most calls met a fault')

    const log = service.logLines.join('')
    t.strictSame(needles.in(log), [], 'the log')
    t.strictSame(needles.in(await databaseBytes(service)), [], 'the database')
    const refusals = [...life, ...mistakes, ...faults].filter(({ status }) => status >= 400)
    for (const { text, headers } of refusals)
      t.strictSame(needles.in(`${text}${JSON.stringify(headers)}`), [])

    assertSearched(t, { needles, life, log, requests: life.length + mistakes.length + faults.length })
    t.match((await databaseBytes(service)).toString('latin1'), 'ada@example.com', 'the database was read')
  })

/** That nothing was found must not be for want of looking. */
function assertSearched(
  t: Test,
  { needles, life, log, requests }: { needles: Needles; life: Answer[]; log: string; requests: number },
): void {
  const handedOut = needles.in(life.map(({ text }) => text).join('\n'))
  for (const name of ['mfa_token', 'access_token', 'refresh_token', 'secret', 'otpauth_uri', 'recovery code'])
    t.ok(handedOut.includes(name), `the answers had the ${name}`)
  t.ok(log.split('\n').length > requests, 'each request has its line')
  t.match(log, 'request failed', 'the faults are logged')
}

t.test('a process writes no secret to its output, even for what is hardly HTTP', async (t) => {
  const needles = makeNeedles()
  const environment = sharedEnvironment(t)
  needles.add('root key', environment.SECRET_KEY ?? '')
  const server = await startProcess(t, { ...environment, LOG_LEVEL: 'trace' })
  const password = needles.add('password', newPassword())
  const token = needles.add('token', newToken())
  t.equal((await server.post('/register', { username: 'ada', password })).status, 201)
  t.equal(
    outcomeOf(await server.post('/login', { username: 'ada', password: token })),
    '401 invalid_credentials',
  )
  t.equal((await server.get(`/me?token=${token}`, token)).status, 401)

  const url = new URL(server.url)
  const tell = (text: string) =>
    new Promise<string>((resolve) => {
      let answer = ''
      const socket = connect(Number(url.port), url.hostname, () => socket.end(text))
      socket.on('data', (chunk) => {
        answer += chunk
      })
      socket.on('close', () => resolve(answer))
      socket.on('error', () => resolve(answer))
    })
  for (const text of [
    `${token}\r\n\r\n`,
    `GET /me HTTP/1.1\r\nAuthorization Bearer ${token}\r\n\r\n`,
    `GET /${token} HTTP/9.9\r\nHost: x\r\n\r\n`,
    `GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}${'.'.repeat(20_000)}\r\n\r\n`,
    `POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{"password":"${password}"}`,
    `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"password":"${password}"`,
  ])
    t.strictSame(needles.in(await tell(text)), [], text.slice(0, 30))

  await server.stop()
  t.match(server.output(), '"msg":"request"')
  t.strictSame(needles.in(server.output()), [])
})
