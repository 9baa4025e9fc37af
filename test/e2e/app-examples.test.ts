import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Agent, fetch } from 'undici'
import { example } from '../helpers/documents/examples.ts'
import { newcomersEnvironment } from '../helpers/documents/readme.ts'
import { totp } from '../helpers/people/totp.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { startListening } from '../helpers/service/listening.ts'
import { PASSWORD } from '../helpers/service/service.ts'

/** The examples of apps with pages of their own: people copy them, so they must not let in anybody without a code. */

const python = ['python3', '/usr/bin/python3'].find((program) => {
  try {
    execFileSync(program, ['-c', 'import flask'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})
const flaskMissing =
  python === undefined && 'Flask is missing, so its example is not run: apt-get install python3-flask'

t.test('the Express app lets people in with a password and a code, and not before', async (t) => {
  await signsPeopleIn(t, 'express-app.mjs', (file) => [process.execPath, file])
})

t.test('so does the Flask app', { skip: flaskMissing }, async (t) => {
  await signsPeopleIn(t, 'flask-app.py', (file, port) => [
    ...[python ?? '', '-m', 'flask', '--app', file, 'run', '--port', port],
  ])
})

/** The address that people come from, which is not that of the app. */
const PERSON = '127.0.0.7'
const elsewhere = new Agent({ localAddress: PERSON })
t.teardown(() => elsewhere.close())

async function signsPeopleIn(t: Test, name: string, command: (file: string, port: string) => string[]) {
  const folder = t.testdir()
  const environment = { TRUST_PROXY: '127.0.0.1' }
  const { issuer, clock, db } = await startListening(t, { environment })
  const file = `${folder}/${name}`
  writeFileSync(file, example(name, issuer))
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...command(file, port)], {
    ...{ cwd: folder, env: { ...newcomersEnvironment, PORT: port }, stdio: 'ignore' as const },
  })
  t.teardown(() => end(child))
  await eventually('the app answers', async () => (await fetch(url).catch(() => null)) !== null)

  let cookie = ''
  const send = async (path: string, form?: Record<string, string>) => {
    const body = form && new URLSearchParams(form)
    const method = form ? 'POST' : 'GET'
    const answer = await fetch(url + path, {
      method,
      redirect: 'manual',
      dispatcher: elsewhere,
      headers: { cookie },
      ...(body && { body }),
    })
    const [set] = answer.headers.getSetCookie()
    if (set) cookie = set.split(';')[0] ?? ''
    return answer.text()
  }
  const hello = /Hello, &?#?\w*;?ada/

  const enrolling = await send('/register', { username: 'ada', password: PASSWORD })
  const [, secret = ''] = /<code>([A-Z2-7]{32})<\/code>/.exec(enrolling) ?? []
  t.match(enrolling, /<img alt="QR code" src="data:image\/png;base64,[^"]+">/)
  t.notMatch(await send('/'), hello, 'a password alone is not enough')
  t.match(await send('/code', { code: totp(secret, clock.now()) }), /([0-9A-Z]{4}-){5}/, 'recovery codes')
  t.match(await send('/'), hello)

  await send('/logout', {})
  t.notMatch(await send('/'), hello)
  t.match(await send('/login', { username: 'ada', password: 'wrong' }), /password/i)
  await send('/login', { username: 'ada', password: PASSWORD })
  await send('/code', { code: totp(secret, clock.now()) })
  t.notMatch(await send('/'), hello, 'a code is good once')
  clock.advance(30)
  await send('/code', { code: totp(secret, clock.now()) })
  t.match(await send('/'), hello)

  const rows = await db.selectFrom('audit_events').select('ip').distinct().execute()
  t.strictSame(rows, [{ ip: PERSON }], 'each call has said whose it was')
  clock.advance(601)
  await send('/logout', {})
  t.notMatch(await send('/'), hello)
  const live = await db.selectFrom('sessions').select('id').where('ended_at', 'is', null).execute()
  t.strictSame(live, [], 'nothing stays alive, also where the access token has run out')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
}
