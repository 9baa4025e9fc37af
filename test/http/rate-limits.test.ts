import t from 'tap'
import { RATE_LIMITS } from '../../src/http/rate-limits.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { listen } from '../helpers/requests/raw-socket.ts'
import { enrol, type Service, startService } from '../helpers/service/service.ts'

/**
 * One address must not fill the service; a header that anybody can write must not make one address look like many;
 * and what many share (a proxy, the IPv4 range within IPv6) must not make many look like one.
 */

interface From {
  /** The peer of the connection. */
  peer?: string
  forwardedFor?: string
  forwarded?: string
}

const limited = { RATE_LIMIT: 'on' }

/** Sends empty logins until the limit is used up, or a few more than it. */
async function useUp(service: Service, from: (turn: number) => From, turns: number = RATE_LIMITS.login) {
  for (let turn = 0; turn < turns; turn++) await knock(service, from(turn))
}

function knock(service: Service, { peer = '192.0.2.1', forwardedFor, forwarded }: From) {
  const headers = {
    ...(forwardedFor && { 'x-forwarded-for': forwardedFor }),
    ...(forwarded && { forwarded }),
  }
  return service.post('/login', {}, undefined, { remoteAddress: peer, headers })
}

t.test('an address that asks too often is told how long to wait', async (t) => {
  const service = await startService(t, { environment: limited })
  await useUp(service, () => ({}))
  const refused = await knock(service, {})
  isProblem(t, refused, 'rate_limited')
  const seconds = Number(refused.headers['retry-after'])
  t.ok(seconds >= 1 && seconds <= 60, `${seconds} s`)
  t.match(refused.headers, { 'ratelimit-policy': '"login";q=120;w=60', ratelimit: /^"login";r=0;t=\d+$/ })
  isProblem(t, await knock(service, { peer: '192.0.2.2' }), 'validation_failed', 'another address is not')
})

t.test('what is left is said on the way there', async (t) => {
  const service = await startService(t, { environment: limited })
  const remaining = async () => /r=(\d+)/.exec(String((await knock(service, {})).headers.ratelimit))?.[1]
  t.equal(await remaining(), '119')
  t.equal(await remaining(), '118')
})

t.test('each group of routes has its own count', async (t) => {
  const service = await startService(t, { environment: limited })
  await useUp(service, () => ({}))
  const options = { remoteAddress: '192.0.2.1' }
  isProblem(t, await service.post('/register', {}, undefined, options), 'validation_failed')
  t.equal((await service.get('/readyz', undefined, options)).status, 200)
})

t.test('unknown paths, wrong methods and missing tokens count as well', async (t) => {
  const service = await startService(t, { environment: limited })
  const probes = {
    unknown: () => service.get('/nowhere', undefined, { remoteAddress: '192.0.2.3' }),
    codes: () => service.post('/2fa/verify', {}, undefined, { remoteAddress: '192.0.2.4' }),
    general: () => service.get('/login', undefined, { remoteAddress: '192.0.2.5' }),
    register: () => service.post('/register', {}, undefined, { remoteAddress: '192.0.2.6' }),
  }
  for (const [group, probe] of Object.entries(probes)) {
    const limit = RATE_LIMITS[group as keyof typeof RATE_LIMITS]
    for (let turn = 1; turn < limit; turn++) await probe()
    t.not((await probe()).status, 429, `${group}: the last of ${limit}`)
    isProblem(t, await probe(), 'rate_limited', `${group}: one more`)
  }
})

t.test('what is asked of the routes of service clients counts also where no client is known', async (t) => {
  const service = await startService(t, { environment: limited })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const requests: Record<string, [path: string, body: unknown, headers?: Record<string, string>]> = {
    'the client of people, which has no secret': ['/token/introspect', { token: 'x', client_id: 'keyturn' }],
    'no grant': ['/token', 'scope=x', form],
    'no JSON': ['/token/introspect', '{', { 'content-type': 'application/json' }],
    'another media type': ['/token', 'x', { 'content-type': 'text/plain' }],
  }
  for (const [index, [name, [path, body, headers = {}]]] of Object.entries(requests).entries()) {
    const remoteAddress = `192.0.2.${index}`
    const send = () => service.post(path, body, undefined, { headers, remoteAddress })
    const { status } = await send()
    t.ok(status === 400 || status === 401 || status === 415, `${name}: ${status}`)
    for (let turn = 1; turn < RATE_LIMITS.general; turn += 1) await send()
    t.equal((await send()).status, 429, name)
  }
})

t.test('a burst cannot have more than the limit', async (t) => {
  const service = await startService(t, { environment: limited })
  const { url } = await listen(service)
  const burst = Array.from({ length: RATE_LIMITS.login + 30 }, () =>
    fetch(`${url}/login`, { method: 'POST' }),
  )
  const answers = await Promise.all(burst)
  t.equal(answers.filter(({ status }) => status === 429).length, 30)
})

t.test('an IPv6 network of 64 bits is one address: a single customer owns all of it', async (t) => {
  const service = await startService(t, { environment: limited })
  await useUp(service, (turn) => ({ peer: `2001:db8:1:1::${turn.toString(16)}` }))
  isProblem(t, await knock(service, { peer: '2001:db8:1:1:ffff:ffff:ffff:ffff' }), 'rate_limited')
  isProblem(t, await knock(service, { peer: '2001:db8:1:2::1' }), 'validation_failed', 'the next one is free')
})

t.test('IPv4 addresses written as IPv6, or translated to it (RFC 6052), are not one network', async (t) => {
  const service = await startService(t, { environment: limited })
  await useUp(service, () => ({ peer: '::ffff:192.0.2.1' }))
  for (const same of ['::ffff:192.0.2.1', '64:ff9b::192.0.2.1', '64:ff9b::c000:201', '192.0.2.1'])
    isProblem(t, await knock(service, { peer: same }), 'rate_limited', same)
  for (const other of ['::ffff:192.0.2.2', '64:ff9b::192.0.2.2', '64:ff9b::0.0.2.1', '64:ff9b:1::192.0.2.1'])
    isProblem(t, await knock(service, { peer: other }), 'validation_failed', other)
})

t.test('X-Forwarded-For of a stranger is ignored', async (t) => {
  for (const environment of [limited, { ...limited, TRUST_PROXY: '10.0.0.0/8' }]) {
    const service = await startService(t, { environment })
    await useUp(service, (turn) => ({ forwardedFor: `203.0.113.${turn}` }))
    isProblem(t, await knock(service, { forwardedFor: '203.0.113.250' }), 'rate_limited')
  }
})

t.test('a proxy that names ports too does not make an address of each connection', async (t) => {
  for (const address of ['203.0.113.1', '[2001:db8::1]']) {
    const service = await startService(t, { environment: { ...limited, TRUST_PROXY: '192.0.2.1, 10.0.0.1' } })
    await useUp(service, (turn) => ({ forwardedFor: `${address}:${1024 + turn}, 10.0.0.1:80` }))
    isProblem(t, await knock(service, { forwardedFor: `${address}:9` }), 'rate_limited')
    isProblem(t, await knock(service, { forwardedFor: address.replace(/[[\]]/g, '') }), 'rate_limited')
    isProblem(t, await knock(service, { forwardedFor: '203.0.113.2:9' }), 'validation_failed')
  }
})

t.test('X-Forwarded-For of a trusted proxy tells its clients apart', async (t) => {
  const environment = { ...limited, TRUST_PROXY: '192.0.2.1, 10.0.0.0/8' }
  const service = await startService(t, { environment })
  await useUp(service, () => ({ forwardedFor: '203.0.113.1' }))
  isProblem(t, await knock(service, { forwardedFor: '203.0.113.1' }), 'rate_limited')
  isProblem(t, await knock(service, { forwardedFor: '203.0.113.2' }), 'validation_failed', 'another client')
  isProblem(
    t,
    await knock(service, { forwardedFor: '198.51.100.9, 203.0.113.1' }),
    'rate_limited',
    'what the client itself has put before its address counts for nothing',
  )
  isProblem(
    t,
    await knock(service, { forwardedFor: '203.0.113.1, 10.1.2.3' }),
    'rate_limited',
    'a chain of trusted proxies is followed to the first stranger',
  )
  isProblem(
    t,
    await knock(service, { peer: '192.0.2.99', forwardedFor: '203.0.113.1' }),
    'validation_failed',
    'and a stranger cannot use up the count of somebody else',
  )
})

t.test('a trusted proxy may name its clients in other spellings', async (t) => {
  const environment = { ...limited, TRUST_PROXY: '192.0.2.1, 10.0.0.0/8' }
  const service = await startService(t, { environment })
  await useUp(service, () => ({ forwardedFor: '2001:db8::1' }))
  const same: From[] = [
    { forwardedFor: '"[2001:db8::1]"' },
    { forwardedFor: '"[2001:db8::1]:4711", 10.0.0.9' },
    { forwarded: 'for="[2001:db8::1]"' },
    { forwarded: 'proto=https;For="[2001:db8::1]:4711";by=10.0.0.9, for=10.0.0.9' },
    { forwarded: 'for=198.51.100.9, for="[2001:db8::1]"' },
    { forwarded: 'for="[2001:db8::1]";host="a, for=198.51.100.9"' },
    { forwarded: 'for=10.0.0.9', forwardedFor: '2001:db8::1' },
    { forwarded: 'for="[2001:db8::1]"', forwardedFor: '2001:db8::1' },
  ]
  for (const from of same) isProblem(t, await knock(service, from), 'rate_limited', JSON.stringify(from))
  isProblem(t, await knock(service, { forwarded: 'for=203.0.113.2' }), 'validation_failed', 'another client')
})

// The attack: a proxy writes one of two headers, and hands on what the client itself has put into the other.
t.test('no client of a trusted proxy chooses its own address', async (t) => {
  const environment = { ...limited, TRUST_PROXY: '192.0.2.1' }
  const service = await startService(t, { environment })
  const own = '203.0.113.1'
  const forged = (turn: number): From[] => [
    { forwardedFor: own, forwarded: `for=198.51.100.${turn}` },
    { forwarded: `for=${own}`, forwardedFor: `198.51.100.${turn}` },
    { forwarded: `for="198.51.100.${turn}, for=${own}` },
    { forwarded: `for=198.51.100.${turn};x=", for=${own};host=";y="` },
    { forwardedFor: `198.51.100.${turn}, unknown` },
    { forwarded: `for=198.51.100.${turn}, for=_hidden` },
  ]
  await useUp(service, (turn) => forged(turn % 250)[turn % 6] ?? {})
  for (const from of forged(251))
    isProblem(t, await knock(service, from), 'rate_limited', JSON.stringify(from))
  const stranger = { peer: '192.0.2.2' }
  await useUp(service, (turn) => ({ ...stranger, forwarded: `for=198.51.100.${turn}` }))
  isProblem(t, await knock(service, { ...stranger, forwarded: 'for=203.0.113.9' }), 'rate_limited')
})

t.test('forged forwarding headers do not change what tokens say of their issuer', async (t) => {
  const service = await startService(t, { environment: { TRUST_PROXY: '127.0.0.1' } })
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', host: 'evil.example' }
  const { accessToken } = await enrol(service)
  const me = await service.get('/me', accessToken, { headers })
  t.equal(me.status, 200, 'the issuer comes from the configuration')
  t.notMatch((await service.get('/', undefined, { headers })).text, /evil/)
})

t.test('with RATE_LIMIT=off nobody is counted', async (t) => {
  const service = await startService(t, { environment: { RATE_LIMIT: 'off' } })
  await useUp(service, () => ({}), RATE_LIMITS.login + 1)
  isProblem(t, await knock(service, {}), 'validation_failed')
})
