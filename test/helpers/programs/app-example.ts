import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import type { Test } from 'tap'
import { example } from '../documents/examples.ts'
import { newcomersEnvironment } from '../documents/readme.ts'
import { eventually } from '../requests/eventually.ts'
import { type Service, startService, testClock } from '../service/service.ts'
import { freePort } from './free-port.ts'
import { type MailServer, mailing, startMailServer } from './smtp.ts'

/** A Python with Flask; `undefined` where there is none. */
const python = ['python3', '/usr/bin/python3'].find((program) => {
  try {
    execFileSync(program, ['-c', 'import flask'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** The examples of apps with pages of their own: their files, and how each is started. */
export const EXPRESS = {
  files: ['express-app.mjs', 'express-pages.mjs'],
  command: (_port: string) => [process.execPath, 'express-app.mjs'],
  missing: false as string | false,
}
export const FLASK: typeof EXPRESS = {
  files: ['flask-app.py', 'flask-pages.html'],
  command: (port?: string) => [
    python ?? '',
    '-m',
    'flask',
    '--app',
    'flask-app',
    'run',
    '--port',
    port ?? '',
  ],
  missing:
    python === undefined && 'Flask is missing, so its example is not run: apt-get install python3-flask',
}

/** The address that people come from, which is not that of the app. */
export const PERSON = '127.0.0.7'

/** What happens to a call of the app: it is refused, or done and not answered. */
type Fault = 'refused' | 'unanswered'

/** One of the apps, its service, and the line between them. */
export interface AppExample {
  service: Service
  smtp: MailServer
  /** Where people open it. */
  origin: string
  /** What it asked Keyturn for, oldest first. */
  asked: string[]
  /** From now on, for every call or for one path. */
  fail(fault: Fault | null, path?: string): void
  /** What the app keeps. */
  rows(statement: string): Record<string, unknown>[]
}

/** Starts an app as its reader would, in a folder with a copy of its files. */
export async function startAppExample(t: Test, { files, command }: typeof EXPRESS): Promise<AppExample> {
  const smtp = await startMailServer(t)
  const asked: string[] = []
  let fault: { kind: Fault; path: string | undefined } | null = null
  const line = createHttpServer(async (request, response) => {
    const { method, url = '', headers } = request
    const payload = await buffer(request)
    asked.push(url)
    const kind = fault && (fault.path ?? url) === url && fault.kind
    if (kind === 'refused') return request.socket.destroy()
    const answer = await service.app.inject({ method: method as 'GET', url, headers, payload })
    if (kind === 'unanswered') return request.socket.destroy()
    response.writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) })
    response.end(answer.rawPayload)
  })
  const port = await freePort()
  const people = createServer((person) => {
    const app = connect({ port, host: '127.0.0.1', localAddress: PERSON })
    join(person, app)
  })
  for (const server of [line, people]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port
  const issuer = `http://127.0.0.1:${portOf(line)}`
  const origin = `http://localhost:${portOf(people)}`
  const service = await startService(t, {
    clock: testClock(Date.now()),
    environment: {
      ...{ ISSUER: issuer, TRUST_PROXY: '127.0.0.1', WEBAUTHN_ORIGINS: origin },
      ...{ ...mailing(smtp), EMAIL_CODES: 'on' },
    },
  })

  const folder = t.testdir()
  for (const file of files) writeFileSync(`${folder}/${file}`, example(file, issuer))
  const publicFiles = new URL('../../../openapi/examples/public', import.meta.url)
  cpSync(fileURLToPath(publicFiles), `${folder}/public`, { recursive: true })
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...command(String(port))], {
    cwd: folder,
    env: { ...newcomersEnvironment, PORT: String(port), ORIGIN: origin, PASSKEYS: 'on' },
    stdio: ['ignore', 'ignore', process.env.TEST_APP_LOG ? 'inherit' : 'ignore'],
  })
  t.teardown(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
    for (const server of [line, people]) server.close()
    line.closeAllConnections()
  })
  await eventually('the app answers', async () => {
    if (child.exitCode !== null) throw new Error(`${files[0]} does not start`)
    return fetch(`http://127.0.0.1:${port}/app.css`).then(
      ({ ok }) => ok,
      () => false,
    )
  })

  return {
    ...{ service, smtp, origin, asked },
    fail(kind, path) {
      fault = kind && { kind, path }
    },
    rows(statement) {
      const db = new BetterSqlite3(`${folder}/app.db`)
      try {
        const prepared = db.prepare(statement)
        return (prepared.reader ? prepared.all() : [prepared.run()]) as Record<string, unknown>[]
      } finally {
        db.close()
      }
    },
  }
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one)
  one.on('error', () => other.destroy()).on('close', () => other.destroy())
  other.on('error', () => one.destroy()).on('close', () => one.destroy())
}
