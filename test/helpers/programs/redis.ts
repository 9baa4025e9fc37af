import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Certificate } from '../faults/certificates.ts'
import { freePort, listens } from './free-port.ts'
import type { Lifetime } from './process.ts'
import { which } from './which.ts'

const program = which('redis-server')

/** Why the tests with Redis are skipped, `false` where they run. */
export const redisMissing = program ? false : 'NOT TESTED: no redis-server (Debian: redis-server)'

/** A real Redis of this test alone, empty and with nothing on disk. */
export interface RedisServer {
  port: number
  url: string
  /** Sends one command, as an operator would. */
  command(...words: string[]): Promise<unknown>
  /** Ends it as a crash would, and what it held is gone. */
  kill(): Promise<void>
  /** Starts it where it was, empty. */
  start(): Promise<void>
  /** It keeps its connections and says nothing, until it goes on. */
  freeze(): void
  goOn(): void
}

interface RedisOptions {
  /** Speak TLS alone, with this certificate. */
  tls?: Certificate
}

/** A port for a Redis that has yet to be started. */
export async function makeRedis(t: Lifetime, { tls }: RedisOptions = {}): Promise<RedisServer> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-redis-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const settings = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--loglevel', 'warning']
  if (tls) settings.push(...tlsSettings(folder, port, tls))
  else settings.push('--port', String(port))
  let child: ReturnType<typeof spawn> | undefined

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(kill)

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async command(...words) {
      const [name = '', ...rest] = words
      const client = new Redis(port, { lazyConnect: true, retryStrategy: null })
      try {
        await client.connect()
        return await client.call(name, ...rest)
      } finally {
        client.disconnect()
      }
    },
    kill,
    async start() {
      child = spawn(program ?? '', settings, { stdio: 'ignore' })
      while (!(await listens(port))) {
        if (child.exitCode !== null) throw new Error('redis-server did not start')
        await sleep(20)
      }
    },
    freeze: () => void child?.kill('SIGSTOP'),
    goOn: () => void child?.kill('SIGCONT'),
  }
}

export async function startRedis(t: Lifetime, options?: RedisOptions): Promise<RedisServer> {
  const redis = await makeRedis(t, options)
  await redis.start()
  return redis
}

function tlsSettings(folder: string, port: number, { cert, key }: Certificate): string[] {
  const [certFile, keyFile] = [join(folder, 'redis.pem'), join(folder, 'redis.key')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile]
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no']
}
