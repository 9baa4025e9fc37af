import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  exchange,
  exchangeText,
  listen,
  openSocket,
  parseAnswer,
  readToEnd,
} from '../helpers/requests/raw-socket.ts'
import { type Answer, PASSWORD, register, startService } from '../helpers/service/service.ts'

/**
 * Below HTTP there is a socket, and whoever has one can write anything to it, or nothing, slowly. Each gets a short
 * answer or none, is cut off in time, and takes nothing from the others.
 */

const service = await startService(t)
await register(service)
const { port, url } = await listen(service)
const stillServes = async () => (await fetch(`${url}/readyz`)).status === 200

/** The line of the log with the id of an answer. */
const lineOf = ({ body }: Answer) =>
  service.logLines.map((line) => JSON.parse(line)).find(({ request_id }) => request_id === body.request_id)

const GARBAGE: Record<string, string | Buffer> = {
  'a TLS greeting': Buffer.from('160301020001000001fc0303', 'hex'),
  'an HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'another protocol': 'SSH-2.0-OpenSSH_9.9\r\n',
  'no version': 'GET / HTTP\r\n\r\n',
  'HTTP/9.9': 'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
  'an unknown method': 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n',
  zeros: Buffer.alloc(100),
  'a header without a colon': 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n',
  'a blank in a header name': 'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n',
  'a folded header': 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\nTransfer-Encoding:\r\n chunked\r\n\r\n',
  'a NUL in a header': 'GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n',
  'two lengths': 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x',
  'a negative length': 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  'length and chunks':
    'POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
  'an unknown transfer encoding': 'POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n',
  'a chunk size that is none':
    'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n',
}

t.test('garbage gets a problem or a closed socket, and the next client is served', async (t) => {
  for (const [what, bytes] of Object.entries(GARBAGE)) {
    const answer = await exchange(port, bytes)
    if (answer.status !== 0) {
      isProblem(t, answer, 'bad_request', what)
      t.match(
        lineOf(answer),
        { level: 'info', msg: 'request unreadable', ip: '127.0.0.1', reason: /^HPE_/ },
        what,
      )
    }
    t.notMatch(answer.text, /at |Error:|node:/, `${what}: no internals`)
  }
  t.ok(await stillServes())
})

t.test('header fields beyond 16 KiB are too large', async (t) => {
  const one = `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`
  const many = `GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(5_000)}\r\n`
  const target = `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`
  for (const bytes of [one, many, target]) isProblem(t, await exchange(port, bytes), 'headers_too_large')
})

t.test('a request that expects the unexpected is answered like any other', async (t) => {
  const request = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: a miracle\r\n\r\n`
  t.equal((await exchange(port, request('/livez'))).status, 200)
  isProblem(t, await exchange(port, request('/me')), 'invalid_token')
})

t.test('a body that goes on for ever is cut off at the limit', async (t) => {
  const socket = await openSocket(port)
  socket.on('error', () => {})
  const answered = readToEnd(socket)
  socket.write(
    'POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  for (let i = 0; i < 40 && socket.writable; i++) socket.write(`400\r\n${' '.repeat(0x400)}\r\n`)
  isProblem(t, parseAnswer(await answered), 'payload_too_large')
})

t.test('a length that lies does not make one request into two', async (t) => {
  const body = JSON.stringify({ username: 'ada', password: PASSWORD })
  const smuggled = 'GET /me HTTP/1.1\r\nHost: x\r\n\r\n'
  const bytes = `POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length + smuggled.length}\r\n\r\n${body}${smuggled}`
  isProblem(t, await exchange(port, bytes), 'malformed_json', 'the rest is read as part of the body')
})

t.test('requests written one after the other are answered in order', async (t) => {
  const [first = '', second = ''] = await exchangeText(
    port,
    'GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ).then((text) => text.split(/(?<=\})(?=HTTP)/))
  t.match(first, /^HTTP\/1\.1 200 OK[\s\S]*"status":"ok"\}$/)
  t.match(second, /^HTTP\/1\.1 401 Unauthorized[\s\S]*"invalid_token"/)
})

t.test('who sends header or body too slowly is cut off', async (t) => {
  const { server } = service.app
  t.match(
    { headers: server.headersTimeout, request: server.requestTimeout },
    { headers: 10_000, request: 10_000 },
    'after ten seconds; so as not to wait for them here, it is made less',
  )
  server.headersTimeout = 200
  server.requestTimeout = 200
  const slow = {
    'a header that never ends': 'GET /livez HTTP/1.1\r\nHost: x\r\nA: ',
    'a body that never comes':
      'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n',
  }
  // Each drips for as long as it is let.
  await Promise.all(
    Object.entries(slow).map(async ([what, beginning]) => {
      const socket = await openSocket(port)
      socket.on('error', () => {})
      const answered = readToEnd(socket)
      socket.write(beginning)
      const drip = setInterval(() => socket.writable && socket.write('a'), 100)
      t.teardown(() => clearInterval(drip))
      const { status, body } = parseAnswer(await answered)
      clearInterval(drip)
      t.match({ status, code: body?.code }, { status: 408, code: 'request_timeout' }, what)
    }),
  )
})

t.test('who says nothing, at first or after an answer, is cut off', async (t) => {
  const { server } = service.app
  t.match(server, { headersTimeout: 200, keepAliveTimeout: 75_000 }, 'here after less')
  server.keepAliveTimeout = 200
  const silent = await openSocket(port)
  const content = await openSocket(port)
  content.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  const [nothing, answer] = await Promise.all([readToEnd(silent), readToEnd(content)])
  t.match(nothing, /^(HTTP\/1\.1 408 [\s\S]*)?$/)
  t.match(answer, /^HTTP\/1\.1 200 OK/)
})

t.test('who is cut off keeps no descriptor here, though it never closes its side', async (t) => {
  const own = await startService(t)
  const { port } = await listen(own)
  const { server } = own.app
  server.headersTimeout = 200
  server.requestTimeout = 200
  t.equal(server.timeout, 30_000, 'for who does not read; here after less')
  const head = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  const cutOff = [
    '',
    'GET /livez HTTP/1.1\r\nHost: x\r\nA: ',
    `${head}Content-Length: 50\r\n\r\n{`,
    `${head}Transfer-Encoding: chunked\r\n\r\nff\r\n{`,
    `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}`,
    'SSH-2.0-OpenSSH_9.9\r\n',
    `${head}Content-Length: 50000\r\n\r\n{`,
  ]
  const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  const sockets: Socket[] = []
  const send = async (bytes: string) => {
    const socket = await openSocket(port, { allowHalfOpen: true })
    socket.on('error', () => {})
    socket.write(bytes)
    sockets.push(socket)
    return socket
  }
  for (const bytes of Array.from({ length: 20 }, () => cutOff).flat()) (await send(bytes)).resume()
  await eventually('all are given up', async () => (await open()) === 0)
  t.ok(descriptors() <= before + sockets.length, 'the clients have theirs still, and the service none')

  server.timeout = 200
  await send('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100))
  await eventually('one that does not read its answers is given up', async () => (await open()) === 0)
  for (const socket of sockets) socket.destroy()
})

t.test('many clients that connect and say nothing leave room for the others', async (t) => {
  const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(port)))
  t.ok(await stillServes())
  for (const socket of sockets) socket.destroy()
  await sleep(20)
  t.ok(await stillServes())
})

t.test('a client that resets its connection in the middle of an answer hurts nobody', async (t) => {
  for (let i = 0; i < 20; i++) {
    const socket = await openSocket(port)
    socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  t.ok(await stillServes())
})
