import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { makeRedisLink, type RedisLink } from '../../src/platform/redis.ts'
import { eventually } from '../helpers/requests/eventually.ts'

/** No request waits for a Redis that is away: the first ones find out, together, and later ones do not ask it. */

/** Answers every command with PONG, in order. */
interface FakeRedis {
  url: string
  /** How long it thinks about what comes from now on. */
  think: () => Promise<unknown>
}

async function startFakeRedis(t: Test): Promise<FakeRedis> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.on('data', async (bytes) => {
      const commands = bytes.toString().match(/^\*\d+\r$/gm) ?? []
      await redis.think()
      socket.write('+PONG\r\n'.repeat(commands.length))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const redis = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    think: async () => {},
  }
  return redis
}

async function openLink(t: Test, { url }: FakeRedis): Promise<RedisLink & { lines: string[] }> {
  const lines: string[] = []
  const note = (...[first, second]: unknown[]) => void lines.push(String(second ?? first))
  const link = makeRedisLink({ url, logger: { info: note, warn: note }, beat: (client) => client.ping() })
  await link.open()
  t.teardown(() => link.close())
  return { ...link, lines }
}

t.test('a slow answer is waited for', async (t) => {
  const redis = await startFakeRedis(t)
  const link = await openLink(t, redis)
  redis.think = () => sleep(100)
  t.equal(await link.ask((client) => client.ping()), 'PONG')
  t.strictSame([link.state(), link.lines], ['ok', []])
})

t.test('without an answer, those who ask at once wait once, and those after them ask nothing', async (t) => {
  const redis = await startFakeRedis(t)
  const link = await openLink(t, redis)
  const silence = Promise.withResolvers<void>()
  redis.think = () => silence.promise
  let [asked, answered] = [0, 0]
  const ask = () =>
    link.ask((client) => {
      asked++
      return client.ping()
    })
  const first = Array.from({ length: 20 }, () => ask().finally(() => answered++))
  t.strictSame([asked, answered], [20, 0], 'all wait at the same time')
  t.strictSame(new Set(await Promise.all(first)), new Set([undefined]))
  t.equal(link.state(), 'unavailable')
  for (let later = 0; later < 20; later++) t.equal(await ask(), undefined)
  t.equal(asked, 20, 'no later one is sent')

  silence.resolve()
  await eventually('a beat has brought it back', () => link.state() === 'ok')
  t.equal(await ask(), 'PONG')
  t.match(link.lines, [/^Redis is away/, /^Redis is back/])
  t.equal(link.lines.length, 2)
})

t.test('what never answers is not waited for at the start, and is not asked', async (t) => {
  const redis = await startFakeRedis(t)
  redis.think = () => new Promise(() => {})
  const link = await openLink(t, redis)
  let asked = 0
  t.equal(await link.ask(async () => asked++), undefined)
  t.equal(asked, 0)
})
