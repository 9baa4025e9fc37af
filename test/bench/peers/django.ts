import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hotp } from '../../helpers/people/totp.ts'
import { type Connection, openConnection, type Reply } from '../connection.ts'
import { startMeasured } from '../measured-process.ts'
import { PASSWORD, TOTP_SECRET } from '../seed.ts'
import { type Peer, peerOf } from './peer.ts'

/** The one that Debian's packages are for: there may be another in the PATH. */
const PYTHON = '/usr/bin/python3'
const PACKAGES =
  'python3-django python3-django-otp python3-argon2 python3-jwt python3-cryptography python3-gunicorn'
const SERVER = fileURLToPath(new URL('django/server.py', import.meta.url))

/** @throws with the names of the packages when one of them is missing. @returns the versions of both. */
export function findDjango(): { django: string; djangoOtp: string } {
  const script = `import argon2, cryptography, django, django_otp, gunicorn, json, jwt
from importlib.metadata import version
print(json.dumps({'django': version('django'), 'djangoOtp': version('django-otp')}))`
  try {
    return JSON.parse(
      execFileSync(PYTHON, ['-c', script], {
        encoding: 'utf8',
        // Python says which one it misses.
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
  } catch {
    throw new Error(`--peer django needs the Debian packages ${PACKAGES}`)
  }
}

export async function startDjango(folder: string, accounts: number): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const server = await startMeasured({
    program: PYTHON,
    command: [SERVER],
    environment: {
      DATABASE_FILE: `${folder}/django.db`,
      ACCOUNTS: String(accounts),
      PASSWORD,
      TOTP_KEY: TOTP_SECRET.toString('hex'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    cwd: folder,
    logFile: `${folder}/django.log`,
    ready: '/ready',
  })
  await checkThatItRefuses(server.port)

  // An account may come again when its next code is there: the same one is refused.
  let turn = 2
  return peerOf(
    server,
    async (connection) => expected(await login(connection, turn++ % accounts)).mfa_token as string,
    async (connection, token) => expected(await verify(connection, token, code())),
  )
}

/** That its work is real: a wrong password, a wrong code, and a code for the second of two at once. */
async function checkThatItRefuses(port: number): Promise<void> {
  const [one, other] = [await openConnection(port), await openConnection(port)]
  const token = async (n: number): Promise<string> => expected(await login(one, n)).mfa_token
  expected(await login(one, 0, 'not the password'), 401)
  expected(await verify(one, await token(0), hotp(TOTP_SECRET, 0)), 401)
  const [shown, same] = [await token(1), code()]
  const replies = await Promise.all([one, other].map((connection) => verify(connection, shown, same)))
  const [first, second] = replies.sort((a, b) => a.status - b.status) as [Reply, Reply]
  expected(first)
  expected(second, 401)
  for (const connection of [one, other]) connection.close()
}

function code(): string {
  return hotp(TOTP_SECRET, Math.floor(Date.now() / 30_000))
}

function login(connection: Connection, n: number, password = PASSWORD): Promise<Reply> {
  return connection.send({ method: 'POST', path: '/login', body: { username: `user${n}`, password } })
}

function verify(connection: Connection, token: string, code: string): Promise<Reply> {
  return connection.send({ method: 'POST', path: '/verify', body: { mfa_token: token, code } })
}

function expected(reply: Reply, status = 200) {
  if (reply.status !== status) throw new Error(`Django answered ${reply.status} instead of ${status}`)
  return status === 200 ? reply.json() : null
}
