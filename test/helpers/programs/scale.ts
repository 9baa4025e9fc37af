import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from './command.ts'
import { freePort } from './free-port.ts'
import { nginxMissing, startNginx } from './nginx.ts'
import { type Cluster, postgresPrograms, startCluster } from './postgres.ts'
import { type Lifetime, type ServerProcess, startProcess } from './process.ts'
import { type RedisServer, redisMissing, startRedis } from './redis.ts'

/** Why tests of the whole topology are skipped, `false` where they run. */
export const scaleMissing =
  redisMissing || nginxMissing || (!postgresPrograms() && 'NOT TESTED: no PostgreSQL (Debian: postgresql)')

/** What `docker compose --profile scale up nginx` starts, as processes of this machine. */
export interface Scale {
  /** Of the load balancer. */
  url: string
  replicas: Replica[]
  cluster: Cluster
  redis: RedisServer
  /** Kills PostgreSQL, and lets a standby take its place. Only where there is one. */
  failOver(): Promise<void>
}

export interface Replica {
  url: string
  process: ServerProcess
  /** Ends it as a crash would. */
  kill(): Promise<unknown>
  /** Ends it as an update would. */
  stop(): Promise<unknown>
  /** Starts it again where it was. */
  start(): Promise<void>
}

const ROLES = fileURLToPath(new URL('../../../deploy/scale/roles.sql', import.meta.url))

export interface ScaleOptions {
  replicas?: number
  /** For the replicas, beside what they share. */
  environment?: Record<string, string>
  /** Of PostgreSQL. */
  settings?: Record<string, string>
  /** Whether another PostgreSQL follows the first. */
  standby?: boolean
}

export async function startScale(
  t: Lifetime,
  { replicas: count = 3, environment = {}, settings = {}, standby = false }: ScaleOptions = {},
): Promise<Scale> {
  const cluster = await startCluster(settings)
  t.teardown(() => cluster.stop())
  // In the image the owner of the database is a superuser.
  await cluster.execute(
    'create role keyturn_owner superuser login',
    'create database keyturn owner keyturn_owner',
  )
  const urlFor = (role: string) => cluster.url('keyturn').replace('postgres@', `${role}@`)
  execFileSync(
    join(postgresPrograms() ?? '', 'psql'),
    ['-q', '-v', 'ON_ERROR_STOP=1', '-f', ROLES, urlFor('keyturn_owner')],
    {
      env: { KEYTURN_PASSWORD: 'unused here' },
    },
  )
  const SECRET_KEY = randomBytes(32).toString('base64')
  const migrated = await runCommand(t, ['src/cli/keyturn.js', 'migrate', 'up'], {
    SECRET_KEY,
    DATABASE_URL: urlFor('keyturn_owner'),
  }).ended
  if (migrated.code !== 0) throw new Error(`The database was not migrated: ${migrated.stderr}`)

  // Where the replicas look for PostgreSQL: a link to the folder of whichever server takes writes.
  const current = join(mkdtempSync(join(tmpdir(), 'keyturn-current-')), 'postgres')
  t.teardown(() => rmSync(dirname(current), { recursive: true }))
  const folderOf = (url: string) => new URL(url).searchParams.get('host') ?? ''
  symlinkSync(folderOf(cluster.url('keyturn')), current)
  const follower = standby ? await cluster.follower() : undefined

  const redis = await startRedis(t)
  const shared = {
    RATE_LIMIT: 'on',
    SECRET_KEY,
    ISSUER: 'https://id.example.com',
    TRUST_PROXY: '127.0.0.1',
    DATABASE_URL: urlFor('keyturn').replace(/host=.*/, `host=${encodeURIComponent(current)}`),
    REDIS_URL: redis.url,
    ...environment,
  }
  const ports = await Promise.all(Array.from({ length: count }, async () => String(await freePort())))
  const replicas = await Promise.all(ports.map((PORT) => startReplica(t, { ...shared, PORT })))
  return {
    url: await startNginx(t, ports),
    replicas,
    cluster,
    redis,
    async failOver() {
      if (!follower) throw new Error('there is no standby')
      cluster.kill('SIGQUIT')
      await follower.promote()
      symlinkSync(follower.folder, `${current}.new`)
      renameSync(`${current}.new`, current)
    },
  }
}

async function startReplica(t: Lifetime, environment: Record<string, string>): Promise<Replica> {
  const replica: Replica = {
    url: `http://127.0.0.1:${environment.PORT}`,
    process: await startProcess(t, environment),
    kill: () => replica.process.stop('SIGKILL'),
    stop: () => replica.process.stop('SIGTERM'),
    async start() {
      replica.process = await startProcess(t, environment)
    },
  }
  return replica
}
