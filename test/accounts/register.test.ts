import t from 'tap'
import { isProblem } from '../helpers/requests/problems.ts'
import { PASSWORD, startService } from '../helpers/service/service.ts'

t.test('of twenty who want one name at the same moment, one gets it', async (t) => {
  const service = await startService(t)
  const spellings = Array.from({ length: 20 }, (_, i) =>
    [...'ada-lovelace'].map((letter, at) => ((i >> (at % 5)) & 1 ? letter.toUpperCase() : letter)).join(''),
  )
  t.ok(new Set(spellings).size >= 20)
  const answers = await Promise.all(
    spellings.map((username) => service.post('/register', { username, password: PASSWORD })),
  )
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  for (const answer of answers) if (answer.status !== 201) isProblem(t, answer, 'username_taken')
  t.equal((await service.db.selectFrom('accounts').select('id').execute()).length, 1)
  t.equal((await service.db.selectFrom('challenges').select('id').execute()).length, 1)
})

t.test('of two services on one database, one gives the name', async (t) => {
  const one = await startService(t)
  const other = await startService(t, { databaseUrl: one.databaseUrl })
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      (i % 2 ? one : other).post('/register', { username: 'ada', password: PASSWORD }),
    ),
  )
  t.strictSame(answers.map(({ status }) => status).sort(), [201, ...Array(9).fill(409)])
})

t.test('what is answered is what the contract says, and nothing more', async (t) => {
  const service = await startService(t)
  const { status, body } = await service.post('/register', { username: 'Ada', password: PASSWORD })
  t.equal(status, 201)
  t.strictSame(Object.keys(body).sort(), [
    'enrolled',
    'expires_in',
    'methods',
    'mfa_required',
    'mfa_token',
    'token_type',
    'user',
  ])
  t.strictSame(Object.keys(body.user).sort(), [
    'created_at',
    'email',
    'email_verified',
    'id',
    'roles',
    'two_factor_enabled',
    'username',
  ])
  t.match(body.user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a UUIDv7')
  t.match(body, { token_type: 'Bearer', expires_in: 300, enrolled: false, methods: ['passkey', 'totp'] })
})

t.test('where registration is closed nobody registers, and nobody learns who has an account', async (t) => {
  const service = await startService(t)
  await service.post('/register', { username: 'ada', password: PASSWORD })
  const closed = await startService(t, {
    databaseUrl: service.databaseUrl,
    environment: { REGISTRATION: 'closed' },
  })
  for (const username of ['ada', 'grace', 'password'])
    for (const password of [PASSWORD, 'password'])
      isProblem(t, await closed.post('/register', { username, password }), 'registration_closed', username)
  isProblem(t, await closed.post('/register', { username: 'ada' }), 'validation_failed', 'half a body')
  t.equal((await closed.post('/login', { username: 'ada', password: PASSWORD })).status, 200)
})
