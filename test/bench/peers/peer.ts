import { type Connection, openConnection } from '../connection.ts'
import type { MeasuredProcess } from '../measured-process.ts'
import type { Step } from '../slice.ts'

export type PeerScenario = 'login' | 'verify' | 'flow'

/** Another product that does what Keyturn does, on the same database. */
export interface Peer {
  server: MeasuredProcess
  prepare(scenario: PeerScenario, most: number): Promise<Step>
}

/** @param login answers what `verify` has to show. Both throw when the server refuses. */
export function peerOf<T extends object | string>(
  server: MeasuredProcess,
  login: (connection: Connection) => Promise<T>,
  verify: (connection: Connection, shown: T) => Promise<unknown>,
): Peer {
  return {
    server,
    async prepare(scenario, most) {
      if (scenario === 'login') return async (connection) => void (await login(connection))
      if (scenario === 'flow')
        return async (connection) => void (await verify(connection, await login(connection)))
      const loggedIn = await loginsAtOnce(server.port, most, login)
      return async (connection) => {
        const shown = loggedIn.pop()
        if (!shown) throw new Error('the slice was prepared for fewer steps')
        await verify(connection, shown)
      }
    },
  }
}

/** The verify of a slice needs a login each, and these take as long as they take. */
async function loginsAtOnce<T>(
  port: number,
  count: number,
  login: (connection: Connection) => Promise<T>,
): Promise<T[]> {
  const done: T[] = []
  const workers = Array.from({ length: 4 }, async () => {
    const connection = await openConnection(port)
    while (done.length < count) done.push(await login(connection))
    connection.close()
  })
  await Promise.all(workers)
  return done
}
