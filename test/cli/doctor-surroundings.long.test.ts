import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import BetterSqlite3 from 'better-sqlite3'
import t, { type Test } from 'tap'
import { startDoctor } from '../helpers/programs/doctor.ts'
import { freePort, listens } from '../helpers/programs/free-port.ts'
import { startProcess } from '../helpers/programs/process.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'
import { which } from '../helpers/programs/which.ts'
import { eventually } from '../helpers/requests/eventually.ts'

/** What the doctor says of the clock, the mail server, the proxy and Redis. */

/** The settings for a mail server that says what time it is, and takes no mail. */
async function mailServerWithClock(t: Test, aheadMs: number): Promise<Record<string, string>> {
  const server = createServer((socket) => {
    const time = new Date(Date.now() + aheadMs).toUTCString().replace('GMT', '+0000')
    socket.on('error', () => {})
    socket.write(`220 mail.example.com ESMTP Exim 4.96 ${time}\r\n`)
    socket.on('data', () => socket.end('421 closing\r\n'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  return { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'a@id.example.com' }
}

t.test('clock: behind the mail server, and behind its own past', async (t) => {
  const { folder, examine } = await startDoctor(t)
  const off = await examine(await mailServerWithClock(t, 90_000))
  t.match(off.of('clock', 'fail'), /this machine is (8|9)\d\.\d s behind the mail server/)
  t.match(off.of('mail', 'fail'), /does not take mail/)

  const sqlite = new BetterSqlite3(`${folder}/keyturn.db`)
  sqlite.prepare('update audit_events set at = ?').run(Date.now() + 3_600_000)
  sqlite.close()
  t.match(
    (await examine()).of('clock', 'fail'),
    /the last audit event is still to come: the clock was set back/,
  )
})

t.test('clock: right, and ahead when something was written', async (t) => {
  const { folder, examine } = await startDoctor(t)
  const sqlite = new BetterSqlite3(`${folder}/keyturn.db`)
  const ahead = Date.now() + 3_600_000
  sqlite.prepare('update audit_events set at = ?').run(ahead)
  sqlite.prepare('update signing_keys set created_at = ?').run(ahead)
  sqlite.close()
  const { of } = await examine(await mailServerWithClock(t, 0))
  t.match(of('clock', 'ok'), /agrees with the mail server/)
  t.equal(of('clock', 'fail'), '')
  for (const what of ['audit event', 'signing key'])
    t.match(of('clock', 'warn'), `the last ${what} is still to come`)
})

t.test('mail: nobody there, nobody answers, wrong password, a backlog', async (t) => {
  const { folder, examine } = await startDoctor(t)
  const from = { MAIL_FROM: 'accounts@id.example.com' }
  const nobody = await examine({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}`, ...from })
  t.match([nobody.code, nobody.of('mail', 'fail')], [1, /ECONNREFUSED/])

  const silent = await startMailServer(t)
  silent.behave({ hang: 'connect' })
  t.match(
    (await examine({ SMTP_URL: silent.url, ...from })).of('mail', 'fail'),
    /does not take mail: no answer within/,
  )

  const strict = await startMailServer(t, {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_auth, _session, callback) => callback(new Error('wrong password')),
  })
  const url = strict.url.replace('smtp://', 'smtp://ada:secret-word@')
  const refused = await examine({ SMTP_URL: url, ...from })
  t.match(refused.of('mail', 'fail'), /Invalid login/)
  t.notMatch(refused.of('mail', 'fail'), 'secret-word')

  const sqlite = new BetterSqlite3(`${folder}/keyturn.db`)
  sqlite
    .prepare(
      'insert into outbox (id, sealed_message, created_at, attempts, next_attempt_at, claimed_until) values (?, ?, ?, 0, 0, 0)',
    )
    .run('0', 'x', Date.now() - 3_600_000)
  sqlite.close()
  const good = await startMailServer(t)
  good.behave({ refuse: ['rcpt', 550] })
  t.match((await examine({ SMTP_URL: good.url, ...from })).of('mail', 'fail'), /to one of the people: 550/)
  good.behave({})
  t.match((await examine({ SMTP_URL: good.url, ...from })).of('mail', 'warn'), /1 mails have waited/)
})

t.test('proxy: TLS and trust that do not fit together', async (t) => {
  const { examine } = await startDoctor(t)
  const warnings = async (changes: Record<string, string>) => (await examine(changes)).of('proxy', 'warn')
  t.match(
    await warnings({ ISSUER: 'http://id.invalid' }),
    /without TLS\nno service answers at http:\/\/id\.invalid/,
  )
  t.match(await warnings({ ISSUER: 'https://id.invalid' }), /no proxy is trusted/)
  const everywhere = { ISSUER: 'https://id.invalid', TRUST_PROXY: '10.0.0.1', HOST: '0.0.0.0' }
  t.match(await warnings(everywhere), /listens on every address, and believes 10\.0\.0\.1/)
})

t.test('proxy: what the service itself warns of', async (t) => {
  const { environment, examine } = await startDoctor(t)
  const { url } = await startProcess(t, environment)
  await fetch(`${url}/livez`, { headers: { 'x-forwarded-for': '203.0.113.7' } })
  t.match(
    (await examine({ ISSUER: url })).of('proxy', 'warn'),
    /^it says: Forwarding headers come from an address/,
  )
})

const redisServer = which('redis-server')

t.test('Redis: not there, and there', { skip: redisServer ? false : 'no redis-server' }, async (t) => {
  const { examine } = await startDoctor(t)
  const port = String(await freePort())
  const gone = await examine({ REDIS_URL: `redis://127.0.0.1:${port}` })
  t.match([gone.code, gone.of('redis', 'fail')], [1, /does not answer: .*ECONNREFUSED/])

  const server = spawn(redisServer as string, ['--port', port, '--save', '', '--bind', '127.0.0.1'])
  t.teardown(() => server.kill('SIGKILL'))
  await eventually('Redis listens', () => listens(Number(port)))
  const there = await examine({ REDIS_URL: `redis://127.0.0.1:${port}` })
  t.match([there.code, there.of('redis', 'ok')], [0, /127\.0\.0\.1:\d+ answers/])
  t.match(there.of('clock', 'ok'), /agrees with Redis/)
})
