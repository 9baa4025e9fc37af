// The attack: strangers give wrong passwords for a name from many networks, and then one at the end of each pause, so
// that its owner never gets a turn. Or a thief who knows the password, and no more, makes himself at home first.
import t from 'tap'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { enrolWithAddress, mailedToken } from '../helpers/people/mail.ts'
import { accountTokenFor, at, signedInBy } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { CLOSED, setFailures } from '../helpers/service/failures.ts'
import {
  type Answer,
  enrol,
  nextCode,
  PASSWORD,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

const HOME = '198.51.100.7'
const OFFICE = '192.0.2.7'
const AWAY = '203.0.113.7'
const DAY = 24 * 3600
const PAUSED = '429 too_many_attempts'
const NEXT = 'another horse, another battery'

function logIn(service: Service, remoteAddress: string, password = PASSWORD): Promise<Answer> {
  return service.post('/login', { username: 'ada', password }, undefined, { remoteAddress })
}

/** A hundred wrong passwords, ten from each of ten networks: all but her own are paused then. */
async function besiege(service: Service, wave = 0): Promise<void> {
  for (let network = 0; network < 10; network++)
    for (let host = 0; host < 10; host++)
      await logIn(service, `10.${wave}.${network}.${host}`, 'not this one')
}

/** A full sign-in. */
async function signInFrom(
  service: Service,
  ada: { secret: string },
  remoteAddress: string,
  password = PASSWORD,
) {
  const { body } = await logIn(service, remoteAddress, password)
  const code = nextCode(service, ada)
  return signedInBy(await service.post('/2fa/verify', { code }, body.mfa_token, { remoteAddress }))
}

t.test('the owner gets in where she registered, however long strangers go on', async (t) => {
  const service = await startService(t)
  await enrol(at(service, HOME))
  await besiege(service)
  for (let pause = 0; pause < 12; pause++) {
    const away = await logIn(service, AWAY)
    t.equal(outcomeOf(away), PAUSED, 'elsewhere the right password has to wait')
    service.clock.advance(Number(away.headers['retry-after']))
    const first = await logIn(service, `10.255.${pause}.1`, 'not this one')
    t.equal(outcomeOf(first), '401 invalid_credentials', 'and a stranger comes first after the pause')
  }
  t.equal((await logIn(service, '198.51.100.200')).status, 200, 'in her network it does not')
})

t.test('a network is her own for 180 days after a full sign-in there', async (t) => {
  const service = await startService(t)
  await enrol(at(service, HOME))
  for (const [days, expected] of [
    [179, '200'],
    [1, PAUSED],
  ] as const) {
    service.clock.advance(days * DAY)
    await cleanUp(service.deps)
    await besiege(service, days)
    t.equal(outcomeOf(await logIn(service, HOME)), expected)
  }
  t.strictSame(await service.db.selectFrom('own_networks').selectAll().execute(), [], 'and then forgotten')
})

t.test('a right password alone makes no network one’s own', async (t) => {
  const service = await startService(t)
  const ada = await enrol(at(service, HOME))
  t.equal((await logIn(service, AWAY)).status, 200)
  await besiege(service)
  t.equal(outcomeOf(await logIn(service, AWAY)), PAUSED)

  service.clock.advance(30)
  await signInFrom(service, ada, AWAY)
  await besiege(service)
  t.equal((await logIn(service, AWAY)).status, 200, 'a full sign-in does')
})

t.test('where no second factor is asked for, the password alone is the full sign-in', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  const post = at(service, HOME).post
  t.equal((await post('/register', { username: 'ada', password: PASSWORD })).status, 201)
  t.equal((await logIn(service, OFFICE)).status, 200)
  await besiege(service)
  for (const address of [HOME, OFFICE]) t.equal((await logIn(service, address)).status, 200, address)
})

t.test('DELETE /sessions forgets every network but the present one', async (t) => {
  const service = await startService(t)
  const ada = await enrol(at(service, HOME))
  const { accessToken } = await signInFrom(service, ada, OFFICE)
  const { status } = await service.delete('/sessions', accessToken, { remoteAddress: OFFICE })
  t.equal(status, 204)
  await besiege(service)
  t.equal(outcomeOf(await logIn(service, HOME)), PAUSED)
  t.equal((await logIn(service, OFFICE)).status, 200)
})

t.test('a new password forgets them, too, ends the pauses and keeps the counts', async (t) => {
  const service = await startService(t)
  const ada = await enrol(at(service, HOME))
  const { accessToken } = await signInFrom(service, ada, OFFICE)
  await besiege(service)
  const body = { current_password: PASSWORD, new_password: NEXT }
  const token = await accountTokenFor(service, accessToken)
  // Her session goes along to where she never signed in: it is no stranger.
  const changed = await service.post('/password/change', body, token, { remoteAddress: AWAY })
  t.equal(changed.status, 200)
  const networks = await service.db.selectFrom('own_networks').selectAll().execute()
  t.equal(networks.length, 0, 'the change is no full sign-in')
  t.equal((await logIn(service, AWAY, NEXT)).status, 200, 'it ends the pause')
})

t.test('a step-up of a live session does not wait for strangers', async (t) => {
  const service = await startService(t)
  const ada = await enrol(at(service, HOME))
  const body = { password: PASSWORD, method: 'totp', code: nextCode(service, ada) }
  await besiege(service)
  const answer = await service.post('/2fa/step-up', body, ada.accessToken, { remoteAddress: AWAY })
  t.equal(answer.status, 200)
})

t.test('a password reset opens the door to its owner: once, and the counts go on', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  await service.db.deleteFrom('own_networks').execute()
  await besiege(service)
  service.clock.advance(30)
  await logIn(service, '10.0.100.1', 'not this one')
  const paused = await logIn(service, AWAY)
  t.equal(paused.headers['retry-after'], '60')

  const token = await mailedToken(service)
  const reset = () =>
    service.post('/password/reset', { token, new_password: NEXT }, undefined, { remoteAddress: AWAY })
  t.equal((await reset()).status, 204)
  t.equal(outcomeOf(await logIn(service, '10.0.101.1', 'nor this')), '401 invalid_credentials')
  t.equal(
    (await logIn(service, AWAY, NEXT)).headers['retry-after'],
    '120',
    'the next pause, not the first one',
  )
})

t.test('a reset ends the pauses of her own network and of codes, and opens no closed factor', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const mfaToken = (await logIn(service, HOME)).body.mfa_token
  for (let count = 0; count < 10; count++) await logIn(service, HOME, 'not this one')
  t.equal(outcomeOf(await logIn(service, HOME)), PAUSED)
  const answer = (code: string, token: string) => service.post('/2fa/verify', { code }, token)
  await answer(wrongCode(service, ada), mfaToken)
  await setFailures(service, ada.id, 'totp', 12, service.clock.now() + 120_000)
  t.equal(outcomeOf(await answer(nextCode(service, ada), mfaToken)), PAUSED)

  const reset = async (new_password: string) =>
    service.post('/password/reset', { token: await mailedToken(service), new_password })
  t.equal((await reset(NEXT)).status, 204)
  const next = (await logIn(service, HOME, NEXT)).body.mfa_token
  t.ok(next, 'the password is asked for again in her network')
  t.equal(outcomeOf(await answer(wrongCode(service, ada), next)), '422 invalid_code')
  t.equal(outcomeOf(await answer(nextCode(service, ada), next)), PAUSED, 'the count was kept')

  await setFailures(service, ada.id, 'totp', 100, CLOSED)
  service.clock.advance(60)
  t.equal((await reset(PASSWORD)).status, 204)
  const last = (await logIn(service, HOME)).body.mfa_token
  t.equal(outcomeOf(await answer(nextCode(service, ada), last)), PAUSED, 'a closed factor stays closed')
})
