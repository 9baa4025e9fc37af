import t from 'tap'
import { runCommand } from '../helpers/programs/command.ts'
import { startOperated } from '../helpers/programs/operated-service.ts'
import { enrol } from '../helpers/service/service.ts'

/** Sessions and accounts that an operator ends, and the trail that tells of it: beside a running service. */

const { service, keyturn, environment, lastEventOf } = await startOperated(t)
const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status

t.test('sessions list and end: one, those of an account, those of all', async (t) => {
  const one = await enrol(service, 'vera')
  const other = await enrol(service, 'wang')
  const [session] = await keyturn.json('sessions', 'list', 'vera')
  t.match(session, { acr: 'aal2', ip: '127.0.0.1' })

  t.match(await keyturn('sessions', 'end', 'wang', '--session', session.id, '--yes'), {
    code: 1,
    stderr: 'wang has no such session.\n',
  })
  t.match(await keyturn('sessions', 'end', 'vera', '--session', '', '--yes'), { code: 1, stdout: '' })
  t.strictSame(await keyturn.json('sessions', 'end', 'vera', '--session', session.id, '--yes'), { ended: 1 })
  t.equal(await statusOf(service.get('/me', one.accessToken)), 401)
  t.equal(await statusOf(service.get('/me', other.accessToken)), 200)
  t.match(await keyturn('sessions', 'end', 'wang', '--yes'), { code: 0, stdout: '1 session ended.\n' })
  t.equal(await statusOf(service.post('/token/refresh', { refresh_token: other.refreshToken })), 401)
  t.equal(await lastEventOf('wang'), 'all_sessions_ended by operator')

  const last = await enrol(service, 'xena')
  const { ended } = await keyturn.json('sessions', 'end', '--all', '--yes')
  t.ok(ended >= 1)
  t.equal(await statusOf(service.get('/me', last.accessToken)), 401)
  for (const wrong of [[], ['vera', '--all'], ['--all', '--session', 'x'], ['--session', 'x']])
    t.match(await keyturn('sessions', 'end', ...wrong, '--yes'), {
      code: 2,
      stdout: '',
      stderr: /Name a user/,
    })
})

t.test('users delete: gone for good, and the trail stays', async (t) => {
  const yuri = await enrol(service, 'yuri')
  t.match(await keyturn('users', 'delete', 'yuri'), { code: 2, stdout: '', stderr: /confirm with --yes/ })
  t.equal(await statusOf(service.get('/me', yuri.accessToken)), 200)
  t.match(await keyturn('users', 'delete', 'yuri', '--yes'), { code: 0, stdout: /is deleted/ })
  t.equal(await statusOf(service.get('/me', yuri.accessToken)), 401)
  t.match(await keyturn.events('--event', 'account_deleted'), [{ account_id: yuri.id, actor: 'operator' }])
  const hers = await keyturn.events('--user', yuri.id)
  t.strictSame([hers.at(0)?.event, hers.at(-1)?.event], ['account_registered', 'account_deleted'])
  t.match(await keyturn('users', 'delete', 'yuri', '--yes'), {
    code: 1,
    stderr: 'There is no account "yuri".\n',
  })
})

t.test('audit: filters by what is asked for, and refuses what it does not know', async (t) => {
  const accepted = await keyturn.events('--event', 'session_started', '--since', '1h', '--limit', '2')
  t.match(accepted, [{ outcome: 'success' }, { outcome: 'success' }])
  t.ok((accepted[0]?.at as string) <= (accepted[1]?.at as string), 'the latest last')
  const later = ['audit', '--since', '2099-01-01']
  t.match(await keyturn(...later, '--json'), { code: 0, stdout: '', stderr: '' })
  t.match(await keyturn(...later), { code: 0, stdout: '', stderr: 'No event was found.\n' })
  const latest = await keyturn('audit', '--limit', '2')
  t.match(latest, { code: 0, stderr: /^There are more/ })
  t.equal(latest.stdout.trimEnd().split('\n').length, 2)
  for (const wrong of [
    ['--event', 'toString'],
    ['--since', 'yesterday'],
    ['--actor', 'nobody'],
  ])
    t.match(await keyturn('audit', ...wrong), { code: 2, stdout: '', stderr: /invalid/ }, wrong.join(' '))
  t.match(await keyturn('audit', '--user', 'nobody'), { code: 1, stderr: 'There is no account "nobody".\n' })
})

t.test('audit --follow shows what happens while it runs, each event once, and ends when told', async (t) => {
  const following = runCommand(t, ['src/cli/cli.ts', 'audit', '--follow', '--limit', '1'], environment)
  await following.line('  ')
  await enrol(service, 'zora')
  await following.line('session_started  success  zora')
  await enrol(service, 'zeno')
  await following.line('session_started  success  zeno')
  following.signal('SIGINT')
  const { code, stdout } = await following.ended
  t.equal(code, 0)
  t.equal(stdout.match(/account_registered {2}success {2}zora/g)?.length, 1)
})
