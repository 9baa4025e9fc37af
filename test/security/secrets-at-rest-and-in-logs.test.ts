// The attack: reading the log, a copy of the database or an error message, and signing in with what stands there.
// Every secret of a whole life of an account, right and wrong, is looked for in all three.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeNeedles, type Needles } from '../helpers/people/needles.ts'
import {
  breakThings,
  liveALife,
  makeMistakes,
  newPassword,
  newToken,
} from '../helpers/people/planted-life.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { exchangeText } from '../helpers/requests/raw-socket.ts'
import { storedBytes } from '../helpers/service/database.ts'
import { type Answer, type Service, startService } from '../helpers/service/service.ts'

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
    t.ok(faults.some(({ status }) => status === 503))
    t.ok(faults.filter(({ status }) => status >= 500).length > 6, 'most calls met a fault')

    const log = service.logLines.join('')
    t.strictSame(needles.in(log), [], 'the log')
    t.strictSame(needles.in(await storedBytes(service)), [], 'the database')
    const refusals = [...life, ...mistakes, ...faults].filter(({ status }) => status >= 400)
    for (const { text, headers } of refusals)
      t.strictSame(needles.in(`${text}${JSON.stringify(headers)}`), [])

    t.equal(outcomeOf(life.at(-1) as Answer), '200', 'the password was changed')
    assertSearched(t, { needles, life, log, requests: life.length + mistakes.length + faults.length })
    t.match((await storedBytes(service)).toString('latin1'), 'ada@example.com', 'the database was read')
  })

/** That nothing was found must not be for want of looking. */
function assertSearched(
  t: Test,
  { needles, life, log, requests }: { needles: Needles; life: Answer[]; log: string; requests: number },
): void {
  const handedOut = needles.in(life.map(({ text }) => text).join('\n'))
  const tokens = ['mfa_token', 'access_token', 'account_token', 'refresh_token']
  for (const name of [...tokens, 'secret', 'otpauth_uri', 'recovery code'])
    t.ok(handedOut.includes(name), `the answers had the ${name}`)
  t.ok(log.split('\n').length > requests, 'each request has its line')
  t.match(log, 'request failed', 'the faults are logged')
}

t.test('a process writes no secret to its output, even for what is hardly HTTP', async (t) => {
  const needles = makeNeedles()
  const environment = await sharedEnvironment(t)
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

  const port = Number(new URL(server.url).port)
  for (const bytes of [
    `${token}\r\n\r\n`,
    `GET /me HTTP/1.1\r\nAuthorization Bearer ${token}\r\n\r\n`,
    `GET /${token} HTTP/9.9\r\nHost: x\r\n\r\n`,
    `GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}${'.'.repeat(20_000)}\r\n\r\n`,
    `POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{"password":"${password}"}`,
    `POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"password":"${password}"}`,
  ])
    t.strictSame(needles.in(await exchangeText(port, bytes)), [], bytes.slice(0, 30))

  await server.stop()
  t.match(server.output(), '"msg":"request"')
  t.strictSame(needles.in(server.output()), [])
})
