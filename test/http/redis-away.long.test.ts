import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { makeCertificates, openssl, trust } from '../helpers/faults/certificates.ts'
import { makeRedis, type RedisServer, redisMissing, startRedis } from '../helpers/programs/redis.ts'
import { tally } from '../helpers/requests/burst.ts'
import { allSay, knock, knocks, LIMIT, linesAboutRedis, startReplicas } from '../helpers/service/replicas.ts'
import type { Service } from '../helpers/service/service.ts'

/**
 * When Redis is away, slow, full or refuses, no limit may open: each replica keeps to its share, says so once, and
 * takes part again by itself. (That no request waits for it: ../platform/redis.test.ts.)
 */

t.setTimeout(1_800_000)

const withRedis = { skip: redisMissing }

/** What becomes of Redis, and how it gets well again. */
const FAULTS: Record<string, [fall: (redis: RedisServer) => unknown, rise: (redis: RedisServer) => unknown]> =
  {
    'was killed': [(redis) => redis.kill(), (redis) => redis.start()],
    'keeps its connections and is silent': [(redis) => redis.freeze(), (redis) => redis.goOn()],
    'is full': [
      (redis) => redis.command('config', 'set', 'maxmemory', '1mb'),
      (redis) => redis.command('config', 'set', 'maxmemory', '0'),
    ],
    'became a replica that takes no writes': [
      (redis) => redis.command('replicaof', '127.0.0.1', '1'),
      (redis) => redis.command('replicaof', 'no', 'one'),
    ],
    'forbids the commands': [
      (redis) => redis.command('acl', 'setuser', 'default', '-eval', '-evalsha'),
      (redis) => redis.command('acl', 'setuser', 'default', '+eval', '+evalsha'),
    ],
  }

/** No answer is a 5xx, each replica lets its share in, and says so in one line. */
async function keepsToItsShare(t: Test, replicas: Service[], share: number) {
  const { allowed } = await knocks(replicas, (LIMIT + 20) * 2, '192.0.2.2')
  t.same(
    allowed,
    replicas.map(() => share),
    'the limit was divided, not opened',
  )
  await allSay(replicas, 'unavailable')
  for (const replica of replicas) {
    const lines = linesAboutRedis(replica)
    t.equal(lines.length, 1, 'one line, not one a request')
    t.match(lines[0], { level: 'warn', msg: /away/, reason: /./ })
  }
}

async function healsItself(t: Test, replicas: Service[]) {
  await allSay(replicas, 'ok')
  t.equal((await knocks(replicas, LIMIT + 20, '192.0.2.3')).total, LIMIT, 'they count together again')
  for (const replica of replicas) t.match(linesAboutRedis(replica), [{}, { level: 'info', msg: /back/ }])
}

for (const [what, [fall, rise]] of Object.entries(FAULTS))
  t.test(`Redis ${what}: each replica keeps to its share, and it heals`, withRedis, async (t) => {
    const redis = await startRedis(t)
    const replicas = await startReplicas(t, redis.url)
    await fall(redis)
    await keepsToItsShare(t, replicas, LIMIT / 2)
    await rise(redis)
    await healsItself(t, replicas)
  })

t.test('after a fail-over the same address leads to the new one', withRedis, async (t) => {
  const [before, after] = [await startRedis(t), await startRedis(t)]
  let { port: target } = before
  const name = createServer((socket) => {
    const onward = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const)
      from
        .on('error', () => to.destroy())
        .on('close', () => to.destroy())
        .pipe(to)
  }).listen(0, '127.0.0.1')
  t.teardown(() => name.close())
  await once(name, 'listening')
  const replicas = await startReplicas(t, `redis://127.0.0.1:${(name.address() as AddressInfo).port}`)
  target = after.port
  // The old one lives on, and so do the connections to it.
  await before.command('replicaof', '127.0.0.1', String(after.port))
  await keepsToItsShare(t, replicas, LIMIT / 2)
  await healsItself(t, replicas)
  t.ok(Number(await after.command('dbsize')) >= 2)
})

t.test('what was used before Redis went away is used afterwards too', withRedis, async (t) => {
  const redis = await startRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await knocks(replicas, LIMIT)
  await redis.kill()
  t.equal((await knocks(replicas, LIMIT)).total, 0)
})

t.test('Redis that is too slow is as good as away', withRedis, async (t) => {
  const redis = await startRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await redis.command('client', 'pause', '3000')
  const burst = replicas.flatMap((replica) => Array.from({ length: 20 }, () => knock(replica)))
  t.same(tally(await Promise.all(burst)), { '400 validation_failed': 40 })
  await healsItself(t, replicas)
})

t.test('Redis was emptied: no replica takes itself for the only one', withRedis, async (t) => {
  const redis = await startRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await redis.command('flushall')
  await redis.command('script', 'flush')
  t.equal((await knocks(replicas, LIMIT + 20)).total, LIMIT)
  await redis.command('flushall')
  await redis.kill()
  t.equal((await knocks(replicas, LIMIT * 2, '192.0.2.5')).total, LIMIT, 'also when it dies right afterwards')
})

t.test('Redis is away at the start: a replica takes itself for one of four', withRedis, async (t) => {
  const redis = await makeRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await keepsToItsShare(t, replicas, LIMIT / 4)
  t.match(linesAboutRedis(replicas[0] as Service), [{ reason: /ECONNREFUSED/ }])
  await redis.start()
  await healsItself(t, replicas)
})

t.test('something at its address says nothing: the service starts', async (t) => {
  // What comes is read, or the end of a connection would not be seen.
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const replicas = await startReplicas(t, `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, 1)
  await keepsToItsShare(t, replicas, LIMIT / 4)
})

t.test('the password is wrong: that is said without the password, and heals', withRedis, async (t) => {
  const redis = await startRedis(t)
  const password = 'planted-7f2ce1'
  await redis.command('acl', 'setuser', 'keyturn', 'on', '>another', '~keyturn:*', '+@all')
  const replicas = await startReplicas(t, redis.url.replace('//', `//keyturn:${password}@`))
  await keepsToItsShare(t, replicas, LIMIT / 4)
  t.match(linesAboutRedis(replicas[0] as Service), [{ reason: /WRONGPASS/ }])
  await redis.command('acl', 'setuser', 'keyturn', `>${password}`)
  await healsItself(t, replicas)
  for (const { logLines } of replicas) t.notMatch(logLines.join(), password)
})

t.test(
  'rediss: only a Redis with a good certificate for its name is spoken to',
  { skip: redisMissing || (!openssl && 'openssl is not installed') },
  async (t) => {
    const certificates = makeCertificates(t)
    const good = await startRedis(t, { tls: certificates.good })
    const reasonAt = async ({ port }: RedisServer) => {
      const [replica] = await startReplicas(t, `rediss://localhost:${port}`, 1)
      return linesAboutRedis(replica as Service)[0]?.reason
    }
    t.match(await reasonAt(good), /certificate/, 'nobody vouches for it')
    trust(t, certificates.authorityFile)
    t.match(await reasonAt(await startRedis(t, { tls: certificates.wrongName })), /altnames/)
    t.match(await reasonAt(await startRedis(t, { tls: certificates.expired })), /expired/)
    const replicas = await startReplicas(t, `rediss://localhost:${good.port}`)
    t.equal((await knocks(replicas, LIMIT + 20)).total, LIMIT)
  },
)
