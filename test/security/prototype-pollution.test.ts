// The attack: a body or a token with members named like the machinery of JavaScript objects, so that a careless
// copy gives every object of the process a new member, or gives a check something to inherit.
import t from 'tap'
import { openMint, refused } from '../helpers/people/forge.ts'
import { enrol, login, nextCode, PASSWORD, type Service, startService } from '../helpers/service/service.ts'

const POISON = [
  '"__proto__":{"polluted":true,"email_verified":true,"role":"admin"}',
  '"__proto__":null',
  '"__proto__":[]',
  '"\\u005f\\u005fproto__":{"polluted":true}',
  '"constructor":{"prototype":{"polluted":true}}',
  '"constructor":"Object"',
  '"prototype":{"polluted":true}',
  '"toJSON":"x"',
  '"toString":"x"',
  '"valueOf":1',
  '"hasOwnProperty":true',
  '"then":"x"',
  '"__defineGetter__":"x"',
  '"$ref":"#"',
]

const raw = (service: Service, route: string, payload: string, token?: string) =>
  service.post(route, undefined, token, { payload, headers: { 'content-type': 'application/json' } })

function assertClean(t: { strictSame(a: unknown, b: unknown, name: string): unknown }): void {
  const inherited: string[] = []
  for (const name in {}) inherited.push(name)
  t.strictSame(inherited, [], 'objects inherit nothing new')
}

t.test('members named like the machinery of objects are refused like any unknown one', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const token = await login(service)
  const code = nextCode(service, ada)
  for (const poison of POISON)
    for (const [route, members, bearer] of [
      ['/register', `"username":"grace","password":"${PASSWORD}"`],
      ['/login', `"username":"ada","password":"${PASSWORD}"`],
      ['/2fa/verify', `"code":"${code}"`, token],
    ] as const)
      for (const body of [`{${members},${poison}}`, `{${poison},${members}}`]) {
        const answer = await raw(service, route, body, bearer)
        t.equal(answer.status, 400, `${route} ${body}`)
        t.equal(answer.body.code, 'validation_failed')
        assertClean(t)
      }
  const rows = await service.db.selectFrom('accounts').select('username').execute()
  t.strictSame(rows, [{ username: 'ada' }], 'no account was made')
})

t.test('what a body needs cannot be inherited', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const token = await login(service)
  const whole = `{"username":"ada","password":"${PASSWORD}"}`
  for (const body of [`{"__proto__":${whole}}`, `{"constructor":{"prototype":${whole}}}`, `[${whole}]`])
    t.equal((await raw(service, '/login', body)).status, 400, body)
  const inherited = `{"__proto__":{"code":"${nextCode(service, ada)}"}}`
  t.equal((await raw(service, '/2fa/verify', inherited, token)).status, 400)
  t.equal((await raw(service, '/2fa/setup', '{"__proto__":{}}', token)).status, 400)
})

t.test('poison within a value, deep within, or in the query does nothing', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  for (const poison of POISON) {
    const deep = `${'{"a":'.repeat(50)}{${poison}}${'}'.repeat(50)}`
    for (const value of [`{${poison}}`, `[{${poison}}]`, deep])
      t.equal((await raw(service, '/login', `{"username":${value},"password":"x"}`)).status, 400)
  }
  for (const query of ['__proto__[polluted]=1', '__proto__.polluted=1', 'constructor[prototype][polluted]=1'])
    t.equal((await service.get(`/me?${query}`, accessToken)).status, 200)
  assertClean(t)
})

t.test('names that objects inherit are names like any other', async (t) => {
  const service = await startService(t)
  for (const username of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf']) {
    const unknown = await service.post('/login', { username, password: PASSWORD })
    t.equal(unknown.body.code, 'invalid_credentials', username)
  }
  const { accessToken } = await enrol(service, 'constructor')
  t.equal((await service.get('/me', accessToken)).body.username, 'constructor')
  for (const method of ['__proto__', 'constructor', 'toString'])
    t.equal(
      (await service.post('/2fa/verify', { code: '000000', method }, await login(service, 'constructor')))
        .status,
      400,
    )
})

t.test('a token inherits no claim and no header', async (t) => {
  const { service, ada, access } = await openMint(t)
  const claims = JSON.parse(Buffer.from(ada.accessToken.split('.')[1] ?? '', 'base64url').toString())
  for (const name of ['sid', 'exp', 'iss', 'aud', 'sub', 'acr']) {
    const { [name]: value, ...rest } = claims
    const poison = `{"${name}":${JSON.stringify(value)}}`
    const text = JSON.stringify(rest).slice(0, -1)
    await refused(
      t,
      service,
      `__proto__.${name}`,
      await access({ payload: `${text},"__proto__":${poison}}` }),
    )
    const constructed = `${text},"constructor":{"prototype":${poison}}}`
    await refused(t, service, `constructor.${name}`, await access({ payload: constructed }))
  }
  assertClean(t)
})
