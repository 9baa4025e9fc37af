import BetterSqlite3 from 'better-sqlite3'
import { type Connection, openConnection } from './connection.ts'
import { quantile } from './figures.ts'
import { startKeyturn } from './keyturn.ts'
import { startFlood } from './probing.ts'
import { PASSWORD } from './seed.ts'
import { pausing } from './slice.ts'

const CROWD = 48
const LOGINS = 60
/** The names that a crowd tries, and that neighbours never use. */
const NAMES = 500
/** Django's for PBKDF2, and a digest that no password has. */
const IMPORTED = `$pbkdf2-sha256$i=1200000$c2FsdHNhbHRzYWx0$${'A'.repeat(43)}`

/** Logins of people elsewhere while a crowd hammers `/login`. */
export interface Fairness {
  /** Of the logins that a neighbour tries during a crowd from one IPv6 /32. */
  served: number
  /** The same for an account that is at home in a network of that /32. */
  servedAtHome: number
  /** Medians in milliseconds: alone, and while 12 clients at one address try names with imported hashes. */
  aloneMs: number
  duringImportedMs: number
}

export async function measureFairness(folder: string): Promise<Fairness> {
  const environment = { TRUST_PROXY: '127.0.0.1' }
  const keyturn = await startKeyturn(folder, { accounts: 2 * NAMES, sessionsEach: 0, environment })
  const { port } = keyturn.server
  const connection = await openConnection(port)
  const atHome = '2001:db8:ffff::1'
  // A full sign-in makes a network the account's own.
  let owner = ''
  await (await keyturn.prepare('flow', 1))({
    ...connection,
    send: ({ body, ...call }) => {
      owner ||= (body as { username: string }).username
      return connection.send({ ...call, body, headers: { 'x-forwarded-for': atHome } })
    },
  })

  const alone = await logins(connection, '2001:db9::1', LOGINS)
  const crowd = await startFlood(port, { clients: CROWD, accounts: NAMES, from: '2001:db8' })
  const ofNeighbour = await logins(connection, '2001:db9::1', LOGINS)
  const ofOwner = await logins(connection, atHome, LOGINS, owner)
  await crowd.stop()

  const sqlite = new BetterSqlite3(`${folder}/keyturn.db`)
  sqlite.prepare('update accounts set password_hash = ? where length(username) < 7').run(IMPORTED)
  sqlite.close()
  const importers = await startFlood(port, { clients: 12, accounts: 100, from: '2001:db8:1::1' })
  const duringImported = await logins(connection, '2001:db9::1', LOGINS)
  await importers.stop()
  await keyturn.stop()
  return {
    served: ofNeighbour.served / LOGINS,
    servedAtHome: ofOwner.served / LOGINS,
    aloneMs: quantile(alone.ms, 0.5),
    duringImportedMs: quantile(duringImported.ms, 0.5),
  }
}

/** Logs in from an address, again and again, as people whom the crowd does not name. */
async function logins(connection: Connection, ip: string, times: number, name?: string) {
  const ms: number[] = []
  let served = 0
  for (let i = 0; i < times; i += 1) {
    const startedAt = performance.now()
    const { status } = await connection.send({
      method: 'POST',
      path: '/login',
      body: { username: name ?? `user${NAMES + i}`, password: PASSWORD },
      headers: { 'x-forwarded-for': ip },
    })
    ms.push(performance.now() - startedAt)
    if (status === 200) served += 1
    await pausing(20)
  }
  return { ms, served }
}
