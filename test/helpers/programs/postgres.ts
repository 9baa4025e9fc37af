import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { eventually } from '../requests/eventually.ts'
import { which } from './which.ts'

const DEBIAN = '/usr/lib/postgresql'

/** A PostgreSQL server of our own, in a folder of its own. */
export interface Cluster {
  /** The URL of one of its databases, by its Unix socket. */
  url(database: string): string
  /** Runs statements as its owner. */
  execute(...statements: string[]): Promise<void>
  executeIn(database: string, ...statements: string[]): Promise<void>
  /** Ends the server as an operator would, or as a power cut does, and starts it again. */
  restart(signal?: NodeJS.Signals): Promise<void>
  kill(signal: NodeJS.Signals): void
  start(): Promise<void>
  /** Another server that follows this one and can take its place: what is committed here is there before it is told. */
  follower(): Promise<Follower>
  /** Lets this process end while the server runs; it ends with it. */
  unref(): void
  /** Ends the server and takes its folder away. */
  stop(): Promise<void>
}

/** A standby. It ends with the server that it follows. */
export interface Follower {
  /** The folder of its socket. */
  folder: string
  /** Makes it the server that takes writes. */
  promote(): Promise<void>
}

/** The folder of PostgreSQL's programs: `TEST_POSTGRES_PROGRAMS`, or the newest version that is installed. */
export function postgresPrograms(): string | undefined {
  const { TEST_POSTGRES_PROGRAMS: named } = process.env
  if (named) return resolve(named)
  const asked = which('pg_config') && execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim()
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  return [asked, ...versions.map((version) => join(DEBIAN, version, 'bin'))].find(
    (folder) => folder && existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
}

/** Also while the last processes of a server are about to end. */
const ENTIRELY = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }

/** For a measurement: as a server is set up in earnest. What else must be on, the service sees to itself. */
export const IN_EARNEST = { shared_buffers: '128MB', fsync: 'on', full_page_writes: 'on', autovacuum: 'on' }

/** Nothing here outlives the tests: it need not survive a power cut, and is small. */
const HASTY = { shared_buffers: '16MB', fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/**
 * Makes a cluster and starts its server, reachable by a Unix socket alone.
 *
 * @param settings of `postgresql.conf`, in place of ours.
 * @param files by their names; a setting that is the name of one means that file.
 */
export async function startCluster(
  settings: Record<string, string> = {},
  files: Record<string, string> = {},
): Promise<Cluster> {
  const programs = postgresPrograms()
  if (!programs) throw new Error('PostgreSQL is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-'))
  const user = unprivileged()
  if (user) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const options = { cwd: folder, env: { PATH: process.env.PATH, TZ: 'UTC' }, ...user }
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
  execFileSync(join(programs, 'initdb'), initdb, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    if (user) chownSync(join(folder, name), user.uid, user.gid)
  }

  const all = {
    listen_addresses: '',
    unix_socket_directories: folder,
    max_connections: '300',
    autovacuum: 'off',
    deadlock_timeout: '100ms',
    ...HASTY,
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => [
    '-c',
    `${name}=${value in files ? join(folder, value) : value}`,
  ])
  const { port = '5432' } = settings
  const url = (database: string) =>
    `postgres://postgres@localhost:${port}/${database}?host=${encodeURIComponent(folder)}`
  let server: ChildProcess | undefined
  let exited: Promise<unknown> = Promise.resolve()
  let standby: ChildProcess | undefined
  let log = ''

  async function start(): Promise<void> {
    const child = spawn(join(programs as string, 'postgres'), ['-D', data, ...flags], {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    server = child
    exited = once(child, 'exit')
    await eventually('PostgreSQL answers', () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${log}`)
      return answers(url('postgres'))
    })
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    server?.kill(signal)
    await exited
  }

  // The last resort when the process is made to end.
  const abandon = () => {
    standby?.kill('SIGQUIT')
    server?.kill('SIGQUIT')
    rmSync(folder, ENTIRELY)
  }
  process.once('exit', abandon)
  await start()

  return {
    url,
    start,
    unref() {
      server?.unref()
      ;(server?.stderr as Socket | null)?.unref()
    },
    kill: (signal) => void server?.kill(signal),
    execute: (...statements) => runStatements(url('postgres'), ...statements),
    executeIn: (database, ...statements) => runStatements(url(database), ...statements),
    async restart(signal = 'SIGINT') {
      await end(signal)
      await start()
    },
    async follower() {
      const socket = join(folder, 'follower')
      const copy = join(socket, 'data')
      execFileSync(join(programs, 'pg_basebackup'), ['-d', url('postgres'), '-D', copy, '-R', '-c', 'fast'], {
        ...options,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const child = spawn(
        join(programs, 'postgres'),
        ['-D', copy, ...flags, '-c', `unix_socket_directories=${socket}`],
        { ...options, stdio: 'ignore' },
      )
      standby = child
      const itsUrl = url('postgres').replace(encodeURIComponent(folder), encodeURIComponent(socket))
      await eventually('the standby answers', () => answers(itsUrl))
      await runStatements(
        url('postgres'),
        "alter system set synchronous_standby_names = '*'",
        'select pg_reload_conf()',
      )
      return { folder: socket, promote: () => runStatements(itsUrl, 'select pg_promote()') }
    },
    async stop() {
      process.removeListener('exit', abandon)
      standby?.kill('SIGQUIT')
      await end('SIGQUIT')
      rmSync(folder, ENTIRELY)
    },
  }
}

/** The server does not run as root: for root, somebody who may do nothing else. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (option: string) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** Runs statements one after the other, over a connection of their own. */
export async function runStatements(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
