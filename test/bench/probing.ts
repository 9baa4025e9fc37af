import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openConnection } from './connection.ts'
import type { FloodFigures } from './flood.ts'
import type { Keyturn } from './keyturn.ts'
import { pausing, type Step } from './slice.ts'

/** Until all clients of the flood are at it, and it has its own start behind it. */
const RAMP_MS = 1500
/** So that the probes are no load themselves. */
const BETWEEN_PROBES_MS = 4

/** In milliseconds, by route. */
export type Latencies = Map<string, number[]>

/** One client, one request at a time, each route in its turn. @param probes how often each route is asked. */
export async function probe({ prepare, server }: Keyturn, probes: number, into: Latencies): Promise<void> {
  const jwks: Step = async (connection) => {
    const { status } = await connection.send({ method: 'GET', path: '/.well-known/jwks.json' })
    if (status !== 200) throw new Error(`/.well-known/jwks.json answered ${status}`)
  }
  const steps: [string, Step][] = [
    ['`GET /me`', await prepare('me', probes)],
    ['`GET /.well-known/jwks.json`', jwks],
    ['`POST /token/refresh`', await prepare('refresh', probes)],
    ['`POST /2fa/verify`', await prepare('verify', probes)],
  ]
  const connection = await openConnection(server.port)
  for (let round = 0; round < probes; round += 1)
    for (const [route, step] of steps) {
      const startedAt = performance.now()
      await step(connection)
      const latencies = into.get(route) ?? []
      into.set(route, latencies)
      latencies.push(performance.now() - startedAt)
      await pausing(BETWEEN_PROBES_MS)
    }
  connection.close()
}

/**
 * Begins to hammer `POST /login` from a process of its own; it counts from now on.
 *
 * @param from an address that all clients come from, or the /32 of IPv6 in which each has a /48: `2001:db8`.
 */
export async function startFlood(
  port: number,
  { clients, accounts, from = '' }: { clients: number; accounts: number; from?: string },
): Promise<{ stop(): Promise<FloodFigures> }> {
  const script = fileURLToPath(new URL('flood.ts', import.meta.url))
  const flood = spawn(process.execPath, [script, ...[port, clients, accounts, from].map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const kill = () => flood.kill('SIGKILL')
  process.once('exit', kill)
  flood.once('exit', (code) => {
    process.off('exit', kill)
    if (code !== 0) throw new Error(`the flood ended with ${code}`)
  })
  await pausing(RAMP_MS)
  flood.send('count')
  return {
    async stop() {
      const told = once(flood, 'message')
      flood.send('stop')
      return (await told)[0] as FloodFigures
    },
  }
}
