import { once } from 'node:events'
import type { Server } from 'node:http'
import t, { type Test } from 'tap'
import { eventually } from '../helpers/requests/eventually.ts'
import { openSocket } from '../helpers/requests/raw-socket.ts'
import { startListening } from '../helpers/service/listening.ts'

const KEYS = 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n'

const countConnections = (server: Server) =>
  new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))

/** A service whose answers with its keys the test makes, and a connection to it. */
async function connected(t: Test, answer: (jwks: { keys: object[] }) => unknown) {
  const { app, deps, issuer } = await startListening(t)
  const { jwks } = deps.signingKeys
  const seen = { made: 0 }
  deps.signingKeys.jwks = () => {
    seen.made += 1
    return answer(jwks()) as never
  }
  const socket = await openSocket(Number(new URL(issuer).port))
  t.teardown(() => socket.destroy())
  return { app, issuer, seen, server: app.server, socket }
}

t.test('a client that does not read its answers has one made at a time', async (t) => {
  // Longer than what the kernel takes off the process.
  const { issuer, seen, socket } = await connected(t, ({ keys }) => ({
    keys: keys.map((key) => ({ ...key, kid: 'A'.repeat(6_000_000) })),
  }))
  socket.pause()
  socket.write(KEYS.repeat(3))
  await eventually('the first answer is made', async () => seen.made > 0)
  for (let i = 0; i < 5; i++) t.equal((await fetch(`${issuer}/livez`)).status, 200, 'others are served')
  t.equal(seen.made, 1)
  socket.resume()
  await eventually('the others are made as the answers are read', async () => seen.made === 3)
})

t.test('the requests of who has gone are not handled', async (t) => {
  const held = Promise.withResolvers<void>()
  const { issuer, seen, server, socket } = await connected(t, (keys) => held.promise.then(() => keys))
  socket.write(KEYS.repeat(3))
  await eventually('the first is handled', async () => seen.made === 1)
  socket.destroy()
  await eventually('the service sees it', async () => (await countConnections(server)) === 0)
  held.resolve()
  for (let i = 0; i < 5; i++) await fetch(`${issuer}/livez`)
  t.equal(seen.made, 1)
})

t.test('of a client that sends without end, requests are not read without end', async (t) => {
  const held = Promise.withResolvers<void>()
  const { seen, server, socket } = await connected(t, (keys) => held.promise.then(() => keys))
  let read = 0
  let answers = 0
  server.on('request', (_, response) => {
    read += 1
    response.once('finish', () => (answers += 1))
  })
  socket.resume()
  socket.write(KEYS)
  await eventually('the first is handled', async () => seen.made === 1)
  const many = 100_000
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(many))
  await eventually('some are read', async () => read > 1)
  for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate)
  t.ok(read < many / 10, `${read} are read`)
  const before = read
  held.resolve()
  await eventually('they are answered, and more are read', async () => answers > before)
})

t.test(
  'while the service ends, nothing is handled after the answer that closes the connection',
  async (t) => {
    const held = Promise.withResolvers<void>()
    const { app, seen, server, socket } = await connected(t, (keys) => held.promise.then(() => keys))
    let text = ''
    socket.on('data', (bytes) => (text += bytes))
    socket.write(KEYS)
    await eventually('the first is handled', async () => seen.made === 1)
    const closed = app.close()
    let read = 0
    server.on('request', () => (read += 1))
    socket.write(KEYS.repeat(3))
    await eventually('the others are read', async () => read === 3)
    held.resolve()
    await once(socket, 'close')
    await closed
    t.equal(text.match(/200 OK/g)?.length, 2)
    t.equal(seen.made, 2)
  },
)

t.test('the answers come in the order of the requests', async (t) => {
  const { socket } = await connected(t, (keys) => keys)
  socket.write(`${KEYS}GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let text = ''
  socket.on('data', (bytes) => (text += bytes))
  await once(socket, 'close')
  t.match(text, /200 OK.*404 Not Found/s)
})
