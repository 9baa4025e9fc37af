import { randomBytes } from 'node:crypto'
import t from 'tap'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { enrol, login, runningClock, startService, wrongCode } from '../helpers/service/service.ts'

t.test('users show prints the pauses that are on: of what, where, until when', async (t) => {
  const rootKey = randomBytes(32)
  const service = await startService(t, { clock: runningClock(), rootKeys: [rootKey] })
  const keyturn = keyturnOn({
    DATABASE_URL: service.databaseUrl,
    SECRET_KEY: rootKey.toString('base64'),
  })
  const ada = await enrol(service)
  t.strictSame((await keyturn.json('users', 'show', 'ada')).pauses, [])
  await enrol(service, 'grace')
  t.match(await keyturn('users', 'paused', '--json'), { code: 0, stdout: '[]\n', stderr: '' })
  t.match(await keyturn('users', 'paused'), { code: 0, stdout: '', stderr: 'No account is paused.\n' })

  const tokens = [await login(service), await login(service)]
  for (let count = 0; count < 10; count++)
    await service.post('/2fa/verify', { code: wrongCode(service, ada) }, tokens[Math.floor(count / 5)])
  const guess = (remoteAddress: string) =>
    service.post('/login', { username: 'ada', password: 'not this one' }, undefined, { remoteAddress })
  // Ten from one network are its pause; with ninety from others they are the pause of all strangers.
  for (let count = 0; count < 100; count++) await guess(count < 10 ? '192.0.2.5' : `10.0.${count}.1`)

  // They are on for half a minute, which is too short for the commands on a slow machine.
  await service.db
    .updateTable('failure_counters')
    .set({ blocked_until: Date.now() + 600_000 })
    .where('blocked_until', '>', 0)
    .execute()

  const { pauses } = await keyturn.json('users', 'show', 'ada')
  t.match(pauses, [
    { of: 'password', network: 'all but its own', until: /Z$/ },
    { of: 'password', network: '192.0.2.0/24', until: /Z$/ },
    { of: 'totp', until: /Z$/ },
  ])
  t.equal(pauses.length, 3)
  t.strictSame(await keyturn.json('users', 'paused'), [{ id: ada.id, username: 'ada', pauses }])
  t.match(
    (await keyturn('users', 'paused')).stdout,
    /^ada {2}password from all but its own until \S+, password from 192/,
  )
  const { stdout } = await keyturn('users', 'show', 'ada')
  t.match(
    stdout,
    /^pauses +password from all but its own until \S+Z,password from 192\.0\.2\.0\/24 until \S+Z,totp until \S+Z$/m,
  )
})
