import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/platform/database.ts'
import { withSslMode } from '../../src/platform/postgres-url.ts'
import { type Certificate, makeCertificates, openssl } from '../helpers/faults/certificates.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { startCluster } from '../helpers/programs/postgres.ts'
import { notOnPostgres } from '../helpers/service/database.ts'

// What passes between the service and its database is all that there is of accounts: it goes to the right server alone.

const skip = notOnPostgres || (openssl ? false : 'NOT TESTED: no openssl')

/** A server that listens on the network and asks for passwords there, with this certificate, if any. */
async function startServer(
  t: Test,
  certificate?: Certificate,
): Promise<(query?: string, password?: string) => string> {
  const port = String(await freePort())
  const tls = { ssl: 'on', ssl_cert_file: 'server.pem', ssl_key_file: 'server.key' }
  const cluster = await startCluster(
    { listen_addresses: '127.0.0.1', port, hba_file: 'hba.conf', ...(certificate && tls) },
    {
      'hba.conf': 'local all all trust\nhost all all all scram-sha-256\n',
      ...(certificate && { 'server.pem': certificate.cert, 'server.key': certificate.key }),
    },
  )
  t.teardown(() => cluster.stop())
  await cluster.execute(`create role ada login password 'p/ss@w:rd?'`)
  return (query = '', password = 'p/ss@w:rd?') =>
    `postgres://ada:${encodeURIComponent(password)}@localhost:${port}/postgres${query}`
}

async function isEncrypted(url: string): Promise<boolean> {
  const db = await openDatabase(url)
  const { rows } = await sql<{
    ssl: boolean
  }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(db)
  await db.destroy()
  return rows[0]?.ssl === true
}

t.test(
  'to another machine it is TLS with a checked certificate, unless the URL says otherwise',
  async (t) => {
    for (const [url, mode] of [
      ['postgres://ada@db.example.com/x', 'verify-full'],
      ['postgres://ada@10.0.0.1/x', 'verify-full'],
      ['postgres://ada@localhost/x?host=db.example.com', 'verify-full'],
      ['postgres://ada@db.example.com/x?sslmode=disable', 'disable'],
      ['postgres://ada@db.example.com/x?sslmode=no-verify', 'no-verify'],
      ['postgres://ada@localhost/x', null],
      ['postgres://ada@127.0.0.1/x', null],
      ['postgres://ada@[::1]/x', null],
      ['postgres://ada@localhost/x?host=/run/postgresql', null],
      ['postgres://ada@localhost/x?sslmode=verify-full', 'verify-full'],
    ] as const)
      t.equal(new URL(withSslMode(url)).searchParams.get('sslmode'), mode, url)
  },
)

t.test('a certificate is believed for its name, its time and its authority', { skip }, async (t) => {
  const { authorityFile, good, expired, wrongName, selfSigned } = makeCertificates(t)
  const trusting = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(authorityFile)}`

  const right = await startServer(t, good)
  t.equal(await isEncrypted(right(trusting)), true)
  await t.rejects(openDatabase(right('?sslmode=verify-full')), {
    message: /certificate that cannot be trusted/,
  })
  await t.rejects(openDatabase(right('?sslmode=verify-full&sslrootcert=/nowhere.pem')), {
    name: 'DatabaseError',
    message: /ENOENT/,
  })
  for (const certificate of [expired, wrongName, selfSigned]) {
    const wrong = await startServer(t, certificate)
    await t.rejects(openDatabase(wrong(trusting)), { message: /certificate that cannot be trusted/ })
    t.equal(await isEncrypted(wrong('?sslmode=no-verify')), true, 'unless nobody asks')
  }
})

t.test(
  'a server without TLS, a wrong password and a wrong name are told in a sentence',
  { skip },
  async (t) => {
    const plain = await startServer(t)
    t.equal(await isEncrypted(plain()), false)
    for (const [url, message] of [
      [plain('?sslmode=verify-full'), /localhost:\d+\/postgres has no TLS/],
      [plain('', 'hunter2'), /does not let this user in: password authentication failed/],
      [
        plain().replace('/postgres', '/nowhere').replace('postgres:/nowhere', 'postgres:/'),
        /\/postgres|does not exist/,
      ],
      [`postgres://ada:hunter2@localhost:${await freePort()}/x`, /cannot be reached: .*ECONNREFUSED/],
    ] as const)
      await openDatabase(url).then(
        () => t.fail(url),
        (error) => {
          t.equal(error.name, 'DatabaseError')
          t.match(error.message, message)
          t.notMatch(error.message, 'hunter2')
        },
      )
  },
)
