import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { totp } from '../../helpers/people/totp.ts'
import { type Connection, openConnection, type Reply } from '../connection.ts'
import { startMeasured } from '../measured-process.ts'
import { PASSWORD } from '../seed.ts'
import { type Peer, peerOf } from './peer.ts'

const FOLDER = fileURLToPath(new URL('better-auth', import.meta.url))

/** Better Auth as it ships hashes with scrypt in JavaScript; it can be given another hash. */
export type PeerHash = 'shipped' | 'argon2'

/** Its own packages, in its own folder: the product has nothing to do with them. */
export function installBetterAuth(): string {
  if (!existsSync(`${FOLDER}/node_modules/better-auth`))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
      cwd: FOLDER,
      stdio: 'ignore',
    })
  return JSON.parse(readFileSync(`${FOLDER}/node_modules/better-auth/package.json`, 'utf8')).version
}

export async function startBetterAuth(folder: string, hash: PeerHash, accounts: number): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const databaseFile = `${folder}/better-auth.db`
  const server = await startMeasured({
    command: [`${FOLDER}/server.mjs`],
    environment: { DATABASE_FILE: databaseFile, PASSWORD_HASH: hash, NODE_ENV: 'production' },
    cwd: folder,
    logFile: `${folder}/better-auth.log`,
    ready: null,
  })
  const { port } = server
  const secret = await enrolFirst(port)
  multiply(databaseFile, accounts)

  let turn = 0
  const next = () => 1 + (turn++ % accounts)
  const code = () => totp(secret, Date.now())
  const login = async (connection: Connection) =>
    (await post(connection, port, '/sign-in/email', { email: emailOf(next()), password: PASSWORD })).cookies
  const verify = (connection: Connection, cookies: readonly string[]) =>
    post(connection, port, '/two-factor/verify-totp', { code: code() }, cookies)

  return peerOf(server, login, verify)
}

/** The way a person goes. @returns the secret of the authenticator, in base32. */
async function enrolFirst(port: number): Promise<string> {
  const connection = await openConnection(port)
  const body = { name: 'bench', email: emailOf(0), password: PASSWORD }
  const { cookies } = await post(connection, port, '/sign-up/email', body)
  const enabled = await post(connection, port, '/two-factor/enable', { password: PASSWORD }, cookies)
  const secret = new URL(enabled.json().totpURI).searchParams.get('secret') ?? ''
  await post(connection, port, '/two-factor/verify-totp', { code: totp(secret, Date.now()) }, cookies)
  connection.close()
  return secret
}

/** More accounts like the first one: making each by its API would take minutes of hashing. */
function multiply(databaseFile: string, accounts: number): void {
  const sqlite = new BetterSqlite3(databaseFile)
  const first = sqlite.prepare('select * from user').get() as Record<string, unknown>
  const copy = (table: string, changes: Record<string, unknown>) => {
    const row = sqlite.prepare(`select * from ${table} limit 1`).get() as Record<string, unknown>
    const values = { ...row, id: randomUUID(), ...changes }
    const names = Object.keys(values)
    const marks = names.map((name) => `@${name}`)
    sqlite.prepare(`insert into ${table} (${names.join(', ')}) values (${marks.join(', ')})`).run(values)
  }
  sqlite.transaction(() => {
    for (let n = 1; n <= accounts; n += 1) {
      const id = randomUUID()
      copy('user', { ...first, id, email: emailOf(n) })
      copy('account', { userId: id, accountId: id })
      copy('twoFactor', { userId: id })
    }
  })()
  sqlite.close()
}

function emailOf(n: number): string {
  return `user${n}@example.com`
}

async function post(
  connection: Connection,
  port: number,
  path: string,
  body: object,
  cookies: readonly string[] = [],
): Promise<Reply> {
  const headers = {
    Origin: `http://127.0.0.1:${port}`,
    ...(cookies.length > 0 && { Cookie: cookies.join('; ') }),
  }
  const reply = await connection.send({ method: 'POST', path: `/api/auth${path}`, body, headers })
  if (reply.status !== 200) throw new Error(`${path} answered ${reply.status}: ${reply.text}`)
  return reply
}
