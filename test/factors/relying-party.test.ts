// Who passkeys are made for, and from where they can be used: what is set, what is refused, and what operators are told.
import t from 'tap'
import { checkPasskeys } from '../../src/cli/doctor/contents.ts'
import { readConfig } from '../../src/config.ts'
import { openService } from '../../src/open-service.ts'
import { makeLogger } from '../../src/platform/logger.ts'
import { addPasskey, enrolPasskey, newPasskey } from '../helpers/people/passkeys.ts'
import { faultsOf } from '../helpers/service/config-faults.ts'
import { newDatabase } from '../helpers/service/database.ts'
import { CHEAP_HASHES, login, register, startService } from '../helpers/service/service.ts'

const read = (environment: Record<string, string>) => readConfig(environment).relyingParty

t.test('by default it is the host of the issuer, and on this machine localhost', async (t) => {
  t.strictSame(read({}), { id: 'localhost', origins: ['http://localhost:3000'] })
  t.strictSame(read({ PORT: '8080' }), { id: 'localhost', origins: ['http://localhost:8080'] })
  t.strictSame(read({ ISSUER: 'http://[::1]:4000' }), { id: 'localhost', origins: ['http://localhost:4000'] })
  t.strictSame(read({ ISSUER: 'https://id.example.com/auth' }), {
    id: 'id.example.com',
    origins: ['https://id.example.com'],
  })
  t.strictSame(
    read({
      ISSUER: 'https://example.com',
      CORS_ORIGINS:
        'https://app.example.com,https://example.com:8443,https://badexample.com,http://app.example.com',
    }).origins,
    ['https://example.com', 'https://app.example.com', 'https://example.com:8443'],
    'pages on and below it, over https',
  )
  t.strictSame(read({ ISSUER: 'https://localhost:8443' }).origins, ['https://localhost:8443'])
  t.strictSame(read({ CORS_ORIGINS: 'http://localhost:5173' }).origins, [
    'http://localhost:3000',
    'http://localhost:5173',
  ])
})

t.test('what can be none is a fault', async (t) => {
  for (const [environment, fault] of [
    [{ WEBAUTHN_RP_ID: 'https://example.com' }, /^WEBAUTHN_RP_ID must be a domain/],
    [{ WEBAUTHN_RP_ID: '10.0.0.1' }, /^WEBAUTHN_RP_ID must be a domain/],
    [{ WEBAUTHN_RP_ID: 'Example.com' }, /^WEBAUTHN_RP_ID must be a domain/],
    [{ WEBAUTHN_RP_ID: 'com' }, /^WEBAUTHN_RP_ID must be a domain/],
    [{ WEBAUTHN_RP_ID: '*.example.com' }, /^WEBAUTHN_RP_ID must be a domain/],
    [
      { ISSUER: 'https://10.0.0.5', WEBAUTHN_ORIGINS: 'https://example.com' },
      /^WEBAUTHN_RP_ID must be a domain/,
    ],
    [{ CORS_ORIGINS: '*' }, /^CORS_ORIGINS must/],
    [{ ISSUER: 'javascript:1' }, /^ISSUER must be/],
    [{ WEBAUTHN_RP_ID: 'example.com' }, /^WEBAUTHN_ORIGINS must be set/],
    [{ WEBAUTHN_ORIGINS: 'http://app.example.com' }, /^WEBAUTHN_ORIGINS must be origins/],
    [{ WEBAUTHN_ORIGINS: 'https://app.example.com/' }, /^WEBAUTHN_ORIGINS must be origins/],
    [{ WEBAUTHN_ORIGINS: 'android:apk-key-hash:short' }, /^WEBAUTHN_ORIGINS must be origins/],
  ] as const)
    t.match(faultsOf(environment), [fault], JSON.stringify(environment))
})

t.test(
  'a start with another one than that of stored passkeys is refused, and says what to set',
  async (t) => {
    const databaseUrl = await newDatabase(t)
    const rootKey = Buffer.alloc(32, 'root key of this test')
    const service = await startService(t, { databaseUrl, rootKeys: [rootKey] })
    await enrolPasskey(service)
    await service.close()
    const logLines: string[] = []
    const open = (environment: Record<string, string>) =>
      openService({
        config: readConfig({
          DATABASE_URL: databaseUrl,
          SECRET_KEY: rootKey.toString('base64'),
          ...CHEAP_HASHES,
          ...environment,
        }),
        logger: makeLogger('warn', { write: (line: string) => void logLines.push(line) }),
      })
    await t.rejects(open({ ISSUER: 'https://id.example.com' }), {
      message:
        /WEBAUTHN_RP_ID is id\.example\.com, but there are passkeys of localhost.*Set WEBAUTHN_RP_ID=localhost/,
    })
    const { app } = await open({ CORS_ORIGINS: 'https://shop.example.net' })
    await app.close()
    t.ok(
      logLines.some((line) =>
        /CORS_ORIGINS names https:\/\/shop\.example\.net, whose pages cannot use passkeys/.test(line),
      ),
      'pages that cannot use passkeys are named',
    )
  },
)

t.test('the doctor says where passkeys work, and where not', async (t) => {
  const { db } = await startService(t)
  const findings = (environment: Record<string, string>) =>
    checkPasskeys({ relyingParty: read(environment) }, db)
  t.match(await findings({}), [{ status: 'ok', found: /for localhost, from http:\/\/localhost:3000/ }])
  t.match(await findings({ ISSUER: 'http://10.0.0.1' }), [{ status: 'warn', found: /the address/ }])
  t.match(await findings({ ISSUER: 'http://id.example.com' }), [{ status: 'warn', found: /over https/ }])
  t.match(
    await findings({
      ISSUER: 'https://example.com',
      WEBAUTHN_ORIGINS: 'https://example.com,https://example.net',
    }),
    [
      { status: 'ok' },
      {
        status: 'ok',
        found: /https:\/\/example\.net only where https:\/\/example\.com\/\.well-known\/webauthn/,
      },
    ],
  )
})

t.test('where there can be no passkeys none is offered', async (t) => {
  const service = await startService(t, { environment: { ISSUER: 'http://10.0.0.1:3000' } })
  await register(service)
  const { body } = await service.post('/login', { username: 'ada', password: 'correct horse battery' })
  t.notOk(body.methods.includes('passkey'))
  const refused = await addPasskey(
    service,
    newPasskey({ origin: 'http://10.0.0.1:3000' }),
    await login(service),
  )
  t.equal(refused.body.code, 'not_found')
  t.equal((await service.post('/login/passkey/options')).status, 404)
})
