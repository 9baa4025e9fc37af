import t from 'tap'
import { sortedRoles } from '../../src/values/roles.ts'
import { FOREIGN_HASHES } from '../helpers/people/foreign-hashes.ts'
import { claimsOf, refresh, signIn } from '../helpers/people/sessions.ts'
import { jsonLines, startImporting } from '../helpers/programs/importing.ts'
import { enrol } from '../helpers/service/service.ts'

/** Roles: an operator says who has which, and services read them in access tokens. */

const HASH = FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] ?? ''

t.test(
  'an operator sets roles: they are in force from the next refresh, and in no older token',
  async (t) => {
    const { service, keyturn } = await startImporting(t)
    const before = await enrol(service)
    const introspected = async (token: string) =>
      (await service.post('/token/introspect', { token }, before.accessToken)).body
    t.notOk('roles' in claimsOf(before.accessToken), 'an empty list is left out')
    t.strictSame((await service.get('/me', before.accessToken)).body.roles, [])

    const set = (...roles: string[]) => keyturn.json('users', 'set-roles', 'ada', ...roles)
    const given = { username: 'ada', roles: ['admin', 'billing:read'], changed: true }
    t.match(await set('billing:read', 'admin', 'admin'), given)
    t.strictSame((await service.get('/me', before.accessToken)).body.roles, given.roles)
    t.notOk('roles' in (await introspected(before.accessToken)), 'an older token says what it said')

    const { body: after } = await refresh(service, before.refreshToken)
    t.strictSame(claimsOf(after.access_token).roles, given.roles)
    t.strictSame((await introspected(after.access_token)).roles, given.roles)
    t.strictSame(claimsOf((await signIn(service, before)).accessToken).roles, given.roles)
    t.match(await keyturn.json('users', 'show', 'ada'), { roles: given.roles })
    t.match((await keyturn('users', 'show', 'ada')).stdout, /^roles +admin,billing:read$/m)

    t.match(await set('admin', 'billing:read'), { changed: false })
    t.match(await set(), { roles: [], changed: true })
    t.notOk('roles' in claimsOf((await refresh(service, after.refresh_token)).body.access_token))
    t.match(
      await keyturn.events('--event', 'roles_set'),
      [
        { username: 'ada', actor: 'operator', method: 'admin billing:read' },
        { username: 'ada', actor: 'operator', method: 'none' },
      ],
      'each change is an event, with what it was',
    )
    const { events } = (await service.get('/me/events', after.access_token)).body
    t.ok(
      events.some((event: { event: string }) => event.event === 'roles_set'),
      'and their owner sees it',
    )
  },
)

const MANY = Array.from({ length: 21 }, (_, n) => `role${n}`)

t.test('what is no role, and more than twenty, is refused in a sentence', async (t) => {
  for (const names of [['a b'], [''], ['a,b'], ['.a'], ['ä'], ['a'.repeat(65)], ['admin', '"'], MANY])
    t.equal(sortedRoles(names), null, names.join(' '))
  t.strictSame(sortedRoles(['b', 'a', 'b', 'B:c/d.e_f-1']), ['B:c/d.e_f-1', 'a', 'b'])
  const longest = MANY.slice(1).map((name) => name.padEnd(64, 'x'))
  t.equal(sortedRoles(longest)?.length, 20)

  const { service, keyturn } = await startImporting(t)
  await enrol(service)
  t.match(await keyturn('users', 'set-roles', 'ada', 'a b'), {
    code: 2,
    stderr: /An account has 20 roles at most, each of 1 to 64 of A-Z/,
  })
  t.match(await keyturn.json('users', 'set-roles', 'ada', ...longest), { changed: true })
})

t.test('import takes roles from JSON and from CSV, and export writes them', async (t) => {
  const ada = { username: 'ada', password_hash: HASH }
  const { service, keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines({ ...ada, roles: ['writer', 'editor'] }),
    'users.csv': `username,password_hash,roles\ngrace,${HASH},editor  admin\njoan,${HASH},\n`,
    'bad.jsonl': jsonLines({ ...ada, roles: ['a b'] }, { ...ada, roles: MANY }, { ...ada, roles: [7, {}] }),
  })
  for (const name of ['users.jsonl', 'users.csv'])
    t.match(await keyturn('import', `${folder}/${name}`, '--apply'), { code: 0 })
  const { refused } = JSON.parse((await keyturn('import', `${folder}/bad.jsonl`, '--json')).stdout)
  t.match(refused, [
    { reasons: [/^roles: it is not 20 roles at most/] },
    { reasons: [/^roles: it is not 20 roles at most/] },
    { reasons: [/^roles: it is not text/] },
  ])
  const lines = (await keyturn('export', '-')).stdout.trimEnd().split('\n')
  t.strictSame(
    Object.fromEntries(lines.map((line) => JSON.parse(line)).map((one) => [one.username, one.roles])),
    {
      ada: ['editor', 'writer'],
      grace: ['admin', 'editor'],
      joan: [],
    },
  )
  t.strictSame(await service.db.selectFrom('accounts').select('roles').orderBy('username').execute(), [
    { roles: 'editor writer' },
    { roles: 'admin editor' },
    { roles: '' },
  ])
})
