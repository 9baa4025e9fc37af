import t from 'tap'
import { checkRedis } from '../../src/cli/doctor/other-machines.ts'
import { redisMissing, startRedis } from '../helpers/programs/redis.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { samples, startMeasured } from '../helpers/service/metrics.ts'
import {
  allSay,
  checksOf,
  knock,
  knocks,
  LIMIT,
  linesAboutRedis,
  startReplicas,
} from '../helpers/service/replicas.ts'
import { startService } from '../helpers/service/service.ts'

/**
 * Replicas keep one limit for an address, not one each: they count together in Redis. Who reads what is in there
 * learns nothing of who called. (What happens while Redis is away: redis-away.long.test.ts)
 */

const withRedis = { skip: redisMissing }

t.test('two replicas keep one limit', withRedis, async (t) => {
  const { url } = await startRedis(t)
  const replicas = await startReplicas(t, url)
  t.equal((await knocks(replicas, LIMIT)).total, LIMIT)
  for (const replica of replicas) {
    const refused = await knock(replica)
    t.equal(refused.status, 429)
    t.match(refused.headers, { 'ratelimit-policy': '"login";q=120;w=60', ratelimit: /^"login";r=0;t=\d+$/ })
    t.equal((await knock(replica, '192.0.2.7')).status, 400, 'another address is not concerned')
    const elsewhere = await replica.post('/register', {}, undefined, { remoteAddress: '192.0.2.1' })
    t.equal(elsewhere.status, 400, 'nor is another group')
    t.same(await checksOf(replica), { database: 'ok', redis: 'ok' })
    t.same(linesAboutRedis(replica), [])
  }
})

t.test('a burst at both at once has no more than the limit', withRedis, async (t) => {
  const { url } = await startRedis(t)
  const replicas = await startReplicas(t, url)
  const burst = replicas.flatMap((replica) => Array.from({ length: LIMIT }, () => knock(replica)))
  t.equal((await Promise.all(burst)).filter(({ status }) => status === 429).length, LIMIT)
})

t.test('Redis holds no address, and nothing for ever', withRedis, async (t) => {
  const redis = await startRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await knocks(replicas, 2)
  const keys = (await redis.command('keys', '*')) as string[]
  t.ok(keys.length >= 2, 'there are the counts and the replicas')
  t.notMatch(keys.join(), /\.|login/)
  for (const key of keys) t.ok(Number(await redis.command('pttl', key)) > 0, 'it ends')
})

t.test('a count that lost its end gets a new one: nobody is shut out for ever', withRedis, async (t) => {
  const redis = await startRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await knocks(replicas, LIMIT + 1)
  const [key = ''] = (await redis.command('keys', 'keyturn:count:*')) as string[]
  t.equal(await redis.command('persist', key), 1)
  t.equal((await knocks(replicas, 1)).total, 0)
  t.ok(Number(await redis.command('pttl', key)) > 0)
})

t.test('while Redis is away each replica keeps to its share', withRedis, async (t) => {
  const redis = await startRedis(t)
  const replicas = await startReplicas(t, redis.url)
  await redis.kill()
  t.same((await knocks(replicas, LIMIT * 2)).allowed, [LIMIT / 2, LIMIT / 2])
  await allSay(replicas, 'unavailable')
  await redis.start()
  await allSay(replicas, 'ok')
  t.equal((await knocks(replicas, LIMIT + 20, '192.0.2.2')).total, LIMIT, 'and they count together again')
})

for (const forbidden of ['-eval', '-incr'])
  t.test(
    `Redis that forbids a command (${forbidden}) is away, and that is said once, counted, and named by the doctor`,
    withRedis,
    async (t) => {
      const redis = await startRedis(t)
      await redis.command('acl', 'setuser', 'few', 'on', '>x', '~keyturn:*', '+@all', forbidden)
      const REDIS_URL = redis.url.replace('//', '//few:x@')
      const service = await startMeasured(t, { environment: { RATE_LIMIT: 'on', REDIS_URL } })
      const up = async () => samples(await service.metrics.text(), 'keyturn_redis_up')
      const errors = async () =>
        Number(/total_error_replies:(\d+)/.exec(String(await redis.command('info', 'stats')))?.[1])
      for (const refused of [1, 2, 3]) {
        await eventually('one more beat is refused', async () => (await errors()) >= refused)
        t.equal((await knock(service)).status, 400)
        t.match(await checksOf(service), { database: 'ok', redis: 'unavailable' })
        t.same(await up(), { '': 0 })
      }
      t.equal(linesAboutRedis(service).length, 1)
      const findings = await checkRedis(service.config, service.clock, [])
      t.match(findings, [{ status: 'fail', found: /does not count: .*(NOPERM|can't run this command)/ }])
      await redis.command('acl', 'setuser', 'few', '+@all')
      t.match(await checkRedis(service.config, service.clock, []), [{ status: 'ok' }])
      await eventually('it counts', async () => (await up())[''] === 1)
    },
  )

t.test('without REDIS_URL nothing is said of Redis', async (t) => {
  const service = await startService(t, { environment: { RATE_LIMIT: 'on' } })
  t.same(await checksOf(service), { database: 'ok' })
  t.same(linesAboutRedis(service), [])
})
