import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { startDoctor } from '../helpers/doctor.ts'
import { freePort } from '../helpers/free-port.ts'
import { startMailServer } from '../helpers/smtp.ts'
import { which } from '../helpers/which.ts'

/** What the doctor says of the clock, the mail server, the proxy and Redis. */

t.test('clock: behind the mail server, and behind its own past', async (t) => {
  const { folder, examine } = await startDoctor(t)
  const ahead = new Date(Date.now() + 90_000).toUTCString().replace('GMT', '+0000')
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write(`220 mail.example.com ESMTP Exim 4.96 ${ahead}\r\n`)
    socket.on('data', () => socket.end('421 closing\r\n'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const off = await examine({ SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'a@id.example.com' })
  t.match(off.of('clock', 'fail'), /this machine is (8|9)\d\.\d s behind the mail server/)
  t.match(off.of('mail', 'fail'), /does not take mail/)

  const sqlite = new BetterSqlite3(`${folder}/keyturn.db`)
  sqlite.prepare('update audit_events set at = ?').run(Date.now() + 3_600_000)
  sqlite.close()
  t.match((await examine()).of('clock', 'fail'), /still to come: the clock was set back/)
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

const redisServer = which('redis-server')

t.test('Redis: not there, and there', { skip: redisServer ? false : 'no redis-server' }, async (t) => {
  const { examine } = await startDoctor(t)
  const port = String(await freePort())
  const gone = await examine({ REDIS_URL: `redis://127.0.0.1:${port}` })
  t.match([gone.code, gone.of('redis', 'fail')], [1, /does not answer: .*ECONNREFUSED/])

  const server = spawn(redisServer as string, ['--port', port, '--save', '', '--bind', '127.0.0.1'])
  t.teardown(() => server.kill('SIGKILL'))
  for (let wait = 0; wait < 100; wait += 1) {
    const { ok } = await examineRedis(port)
    if (ok) break
  }
  const there = await examine({ REDIS_URL: `redis://127.0.0.1:${port}` })
  t.match([there.code, there.of('redis', 'ok')], [0, /127\.0\.0\.1:\d+ answers/])
  t.match(there.of('clock', 'ok'), /agrees with Redis/)
})

async function examineRedis(port: string): Promise<{ ok: boolean }> {
  await new Promise((resolve) => setTimeout(resolve, 50))
  return { ok: spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]).status === 0 }
}
