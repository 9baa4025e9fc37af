import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import pg from 'pg'
import type { Test } from 'tap'
import { isSettings } from '../../../src/platform/postgres-settings.ts'

/**
 * What is lost: the statement, before it reaches the server; its answer, before it reaches the service; or the server's
 * process, which an administrator ends when the statement comes.
 */
export type Loss = 'statement' | 'answer' | 'backend'

/** Stands between a service and PostgreSQL, and cuts the line where a test says so. */
export interface CuttingProxy {
  url: string
  /** Loses the connection at the n-th statement from now on, from 1 on. @returns what was sent from now on. */
  cutAt(n: number, loss: Loss): string[]
  /** Does no more of it. */
  leaveAlone(): void
  /** Keeps the connections and carries nothing, or goes on. */
  freeze(frozen: boolean): void
}

/** @param databaseUrl with the folder of a Unix socket as its host. */
export async function startCuttingProxy(t: Test, databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl)
  const path = `${target.searchParams.get('host')}/.s.PGSQL.5432`
  const sockets = new Set<Socket>()
  let cut: { at: number; loss: Loss; statements: string[] } | undefined
  let frozen = false

  const server = createServer((service) => {
    const database = connect(path)
    for (const [socket, other] of [
      [service, database],
      [database, service],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    const lose = () => {
      service.destroy()
      database.destroy()
    }
    let deaf = false
    const reader = makeStatementReader()
    service.on('data', async (bytes) => {
      if (frozen) return
      for (const text of reader(bytes)) {
        cut?.statements.push(text)
        if (cut?.statements.length !== cut?.at) continue
        if (cut?.loss === 'statement') return lose()
        if (cut?.loss === 'answer') deaf = true
        if (cut?.loss === 'backend') {
          service.pause()
          await endBackends(databaseUrl)
          service.resume()
        }
      }
      database.write(bytes)
    })
    database.on('data', (bytes) => {
      if (frozen) return
      if (deaf) lose()
      else service.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  target.searchParams.delete('host')
  target.hostname = '127.0.0.1'
  target.port = String((server.address() as AddressInfo).port)
  return {
    url: target.href,
    cutAt(at, loss) {
      cut = { at, loss, statements: [] }
      return cut.statements
    },
    leaveAlone() {
      cut = undefined
    },
    freeze(now) {
      frozen = now
    },
  }
}

/** Ends every connection that others have to the database. */
export async function endBackends(databaseUrl: string): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )
  await client.end()
}

/**
 * The texts of `Query` messages and of the statements of `Bind` messages (PostgreSQL's frontend protocol, version 3), in
 * the order they are sent: without the settings, which come together with what they are for.
 */
function makeStatementReader(): (bytes: Buffer) => string[] {
  let rest = Buffer.alloc(0)
  let started = false
  const parsed = new Map<string, string>()
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const statements: string[] = []
    for (;;) {
      const header = started ? 5 : 4
      if (rest.length < header) return statements
      const end = rest.readInt32BE(header - 4) + header - 4
      if (rest.length < end) return statements
      const [first = '', second = ''] = rest.subarray(header, end).toString().split('\0')
      const type = started ? String.fromCharCode(rest[0] ?? 0) : ''
      if (type === 'Q') statements.push(first)
      if (type === 'P') parsed.set(first, second)
      if (type === 'B') statements.push(...[parsed.get(second) ?? ''].filter((text) => !isSettings(text)))
      started = true
      rest = rest.subarray(end)
    }
  }
}
