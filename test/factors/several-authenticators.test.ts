// Up to five authenticators of one account, each with a name: any of them signs in, and none makes guessing easier.
import t, { type Test } from 'tap'
import { factorsOf } from '../helpers/people/factors.ts'
import { enrolWithAddress, switchCodes } from '../helpers/people/mail.ts'
import { addPasskey, newPasskey, signInAlone } from '../helpers/people/passkeys.ts'
import { accountTokenFor, isAlive, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import {
  type Answer,
  enrol,
  login,
  PASSWORD,
  register,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

interface Phone {
  secret: string
  accessToken: string
}

const codeOf = ({ clock }: Service, { secret }: { secret: string }) => totp(secret, clock.now())

const verify = async (service: Service, code: string, token?: string): Promise<Answer> =>
  service.post('/2fa/verify', { code }, token ?? (await login(service)))

/** Adds an authenticator in the session of this person. */
async function addPhone(service: Service, { accessToken }: Phone, body: object = {}): Promise<Phone> {
  const token = await accountTokenFor(service, accessToken)
  const { secret } = (await service.post('/2fa/setup', body, token)).body
  const confirmed = await service.post('/2fa/setup/confirm', { code: codeOf(service, { secret }) }, token)
  if (confirmed.status !== 200) throw new Error(confirmed.text)
  return { secret, accessToken: confirmed.body.access_token }
}

async function withTwo(t: Test): Promise<{ service: Service; old: Phone; fresh: Phone }> {
  const service = await startService(t)
  const old = await enrol(service)
  service.clock.advance(30)
  return { service, old, fresh: await addPhone(service, old, { name: 'Work phone' }) }
}

t.test('each of two signs in, and its owner sees both by name', async (t) => {
  const { service, old, fresh } = await withTwo(t)
  service.clock.advance(30)
  for (const phone of [old, fresh]) t.equal((await verify(service, codeOf(service, phone))).status, 200)
  t.match(await factorsOf(service, fresh.accessToken), [
    { kind: 'totp', name: 'Authenticator', last_used_at: /^2026/ },
    { kind: 'totp', name: 'Work phone', last_used_at: /^2026/ },
  ])
})

t.test('a code burns the step of the one that it fits, and of no other', async (t) => {
  const { service, old, fresh } = await withTwo(t)
  service.clock.advance(30)
  const code = codeOf(service, old)
  t.equal((await verify(service, code)).status, 200)
  t.equal(outcomeOf(await verify(service, code)), '422 invalid_code')
  t.equal((await verify(service, codeOf(service, fresh))).status, 200)
})

t.test('both codes in a burst open two sessions, one each', async (t) => {
  const { service, old, fresh } = await withTwo(t)
  service.clock.advance(30)
  const codes = [codeOf(service, old), codeOf(service, fresh)]
  const tokens: string[] = []
  for (let i = 0; i < 8; i += 1) tokens.push(await login(service))
  const answers = await burst(8, (index) => verify(service, codes[index % 2] as string, tokens[index]))
  t.equal(tally(answers)[200], 2)
})

t.test('wrong codes count for the kind: two authenticators give no more guesses than one', async (t) => {
  const { service, old } = await withTwo(t)
  for (let round = 0; round < 2; round += 1) {
    const token = await login(service)
    for (let i = 0; i < 5; i += 1) await verify(service, wrongCode(service, old), token)
  }
  t.equal(outcomeOf(await verify(service, codeOf(service, old))), '429 too_many_attempts')
})

t.test('one that is removed signs in no more, also during a sign-in', async (t) => {
  const { service, old, fresh } = await withTwo(t)
  service.clock.advance(30)
  const [first] = await factorsOf(service, fresh.accessToken)
  const mfaToken = await login(service)
  const session = await signIn(service, { username: 'ada', secret: old.secret })
  const token = await accountTokenFor(service, session.accessToken)
  service.clock.advance(30)
  const code = codeOf(service, old)
  const [removed, raced] = await Promise.all([
    service.delete(`/2fa/factors/${first?.id}`, token),
    verify(service, code, mfaToken),
  ])
  t.equal(removed.status, 200)
  t.match(outcomeOf(raced), /^(200|422 invalid_code)$/)
  t.equal(outcomeOf(await verify(service, code)), '422 invalid_code')
  t.notOk(await isAlive(service, session.accessToken), 'every session ends')
  t.ok(await isAlive(service, removed.body.access_token), 'but the new one')
  t.equal((await verify(service, codeOf(service, fresh))).status, 200)
  const again = await accountTokenFor(service, removed.body.access_token)
  const [last] = await factorsOf(service, removed.body.access_token)
  t.equal(outcomeOf(await service.delete(`/2fa/factors/${last?.id}`, again)), '403 two_factor_required')
  t.equal(outcomeOf(await service.delete('/2fa/factors/nobody', again)), '404 not_found')
})

t.test('the last one goes with the recovery codes, where none is required', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  await register(service)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  const phone = await addPhone(service, { secret: '', accessToken: body.access_token })
  const [only] = await factorsOf(service, phone.accessToken)
  const removed = await service.delete(
    `/2fa/factors/${only?.id}`,
    await accountTokenFor(service, phone.accessToken),
  )
  t.equal(removed.status, 200)
  const left = (await service.get('/2fa', removed.body.access_token)).body
  t.match(left, { factors: [], recovery_codes: { remaining: 0 } })
})

t.test('a replacement takes the place of the one that it names, and no other', async (t) => {
  const { service, old, fresh } = await withTwo(t)
  const [first] = await factorsOf(service, fresh.accessToken)
  service.clock.advance(24 * 3600)
  const session = await signIn(service, { username: 'ada', secret: old.secret })
  const third = await addPhone(
    service,
    { ...old, accessToken: session.accessToken },
    { replaces: first?.id, name: 'New' },
  )
  service.clock.advance(30)
  t.equal(outcomeOf(await verify(service, codeOf(service, old))), '422 invalid_code')
  for (const phone of [fresh, third]) t.equal((await verify(service, codeOf(service, phone))).status, 200)
  t.match(
    (await factorsOf(service, third.accessToken)).map(({ name }) => name),
    ['Work phone', 'New'],
  )
  service.clock.advance(24 * 3600)
  const unknown = await service.post(
    '/2fa/setup',
    { replaces: 'nobody' },
    await accountTokenFor(service, third.accessToken),
  )
  t.equal(outcomeOf(unknown), '404 not_found')
})

t.test('a factor of the first day adds another one, and replaces none', async (t) => {
  const { service, fresh } = await withTwo(t)
  const [first] = await factorsOf(service, fresh.accessToken)
  const token = await accountTokenFor(service, fresh.accessToken)
  const refused = await service.post('/2fa/setup', { replaces: first?.id }, token)
  t.match(refused.body, { code: 'insufficient_user_authentication', reason: 'factor_too_new' })
  t.ok((await addPhone(service, fresh)).secret)
})

t.test('a factor of the first day replaces one that is not older', async (t) => {
  const { service, fresh } = await withTwo(t)
  service.clock.advance(30)
  const third = await addPhone(service, fresh)
  const [, second, last] = await factorsOf(service, third.accessToken)
  const replace = async (id: string | undefined) =>
    service.post('/2fa/setup', { replaces: id }, await accountTokenFor(service, third.accessToken))
  t.match((await replace(second?.id)).body, { reason: 'factor_too_new' })
  t.equal((await replace(last?.id)).status, 200)
  await addPhone(service, third, { replaces: last?.id })
})

t.test('the same secret twice is refused, and a replaced one confirms nothing', async (t) => {
  const { service, old, fresh } = await withTwo(t)
  const token = await accountTokenFor(service, fresh.accessToken)
  await service.post('/2fa/setup', {}, token)
  service.clock.advance(30)
  const byOld = await service.post('/2fa/setup/confirm', { code: codeOf(service, old) }, token)
  t.equal(outcomeOf(byOld), '422 invalid_code', 'a code of another authenticator')

  // No request makes two of one secret; a database that was written to could hold them.
  const { box, db } = service.deps
  const rows = await db.selectFrom('totp_factors').selectAll().execute()
  const pending = rows.find(({ state }) => state === 'pending')
  const active = rows.find(({ state }) => state === 'active')
  if (!pending || !active) throw new Error('there is one of each')
  const context = ({ account_id, id }: typeof pending) => `totp_factors:${account_id}:${id}`
  const secret = box.open(active.sealed_secret, context(active))
  await db
    .updateTable('totp_factors')
    .set({ sealed_secret: box.seal(secret, context(pending)) })
    .where('id', '=', pending.id)
    .execute()
  const twice = await service.post('/2fa/setup/confirm', { code: codeOf(service, old) }, token)
  t.equal(outcomeOf(twice), '422 invalid_code')
})

t.test('asked again with the same token, it is the same secret until a code was tried', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const ask = async (token: string) => (await service.post('/2fa/setup', undefined, token)).body.secret
  const secret = await ask(mfaToken)
  t.equal(await ask(mfaToken), secret)
  const elsewhere = await login(service)
  const other = await ask(elsewhere)
  t.not(other, secret, 'another sign-in has its own')
  t.equal(outcomeOf(await verify(service, codeOf(service, { secret }), elsewhere)), '422 invalid_code')
  t.not(await ask(elsewhere), other, 'after a wrong code')
  t.equal(await ask(mfaToken), secret)
  t.equal((await verify(service, codeOf(service, { secret }), mfaToken)).status, 200)
  const rows = await service.db.selectFrom('totp_factors').select('state').execute()
  t.strictSame(rows, [{ state: 'active' }], 'the others are gone')
})

t.test('five wait at most, and the oldest gives way', async (t) => {
  const service = await startService(t)
  await register(service)
  const tokens: string[] = []
  const secrets: string[] = []
  for (let i = 0; i < 6; i += 1) {
    const token = await login(service)
    tokens.push(token)
    secrets.push((await service.post('/2fa/setup', undefined, token)).body.secret)
    service.clock.advance(1)
  }
  const code = (index: number) => codeOf(service, { secret: secrets[index] as string })
  t.equal(outcomeOf(await verify(service, code(0), tokens[0])), '409 not_enrolled')
  t.equal((await verify(service, code(1), tokens[1])).status, 200)
})

t.test('five are as many as an account can have', async (t) => {
  const service = await startService(t)
  let phone: Phone = await enrol(service)
  for (let count = 2; count <= 5; count += 1) phone = await addPhone(service, phone)
  const refused = await service.post('/2fa/setup', {}, await accountTokenFor(service, phone.accessToken))
  t.equal(outcomeOf(refused), '409 factor_limit_reached')
})

t.test('a name is changed without using the account token up, and is a name', async (t) => {
  const { service, fresh } = await withTwo(t)
  const token = await accountTokenFor(service, fresh.accessToken)
  const rename = (id: string | undefined, name: string) =>
    service.app.inject({
      method: 'PATCH',
      url: `/2fa/factors/${id}`,
      headers: { authorization: `Bearer ${token}` },
      payload: { name },
    })
  const [first] = await factorsOf(service, fresh.accessToken)
  const renamed = await rename(first?.id, 'Téléphone 📱')
  t.equal(renamed.statusCode, 200)
  t.match(renamed.json(), { id: first?.id, kind: 'totp', name: 'Téléphone 📱' })
  t.equal((await factorsOf(service, fresh.accessToken))[0]?.name, 'Téléphone 📱')
  for (const name of ['', ' ', '\u202Eenohp', 'a\nb', '\u200B', '\u00AD\u2060', '\u115F', 'x'.repeat(65)])
    t.equal((await rename(first?.id, name)).statusCode, 400, JSON.stringify(name))
  t.equal((await rename('nobody', 'x')).statusCode, 404)
  const passkey = newPasskey()
  t.equal((await addPasskey(service, passkey, token)).status, 201, 'the token was still good')
  const { body } = await signInAlone(service, passkey)
  const mallory = await enrol(service, 'mallory')
  const foreign = await service.delete(
    `/2fa/factors/${first?.id}`,
    await accountTokenFor(service, mallory.accessToken),
  )
  t.equal(outcomeOf(foreign), '404 not_found', 'of another account')
  t.ok(body.access_token)
})

t.test(
  'under MFA_POLICY=optional codes by mail that are switched off go with the last that answers',
  async (t) => {
    const environment = { MFA_POLICY: 'optional' }
    const mailing = await startService(t, { mail: true, environment })
    const ada = await enrolWithAddress(mailing)
    t.equal((await switchCodes(mailing, ada.accessToken, true)).status, 204)
    const { clock, databaseUrl } = mailing
    const service = await startService(t, { databaseUrl, clock, environment })
    const [phone] = await factorsOf(service, ada.accessToken)
    const token = await accountTokenFor(service, ada.accessToken)
    t.equal((await service.delete(`/2fa/factors/${phone?.id}`, token)).status, 200)
    const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
    t.match(body, { mfa_required: false }, 'she is not left outside')
  },
)

t.test('under MFA_POLICY=required one stays that can answer', async (t) => {
  const mailing = await startService(t, { mail: true })
  const ada = await enrolWithAddress(mailing)
  t.equal((await switchCodes(mailing, ada.accessToken, true)).status, 204)
  const { clock, databaseUrl } = mailing
  const service = await startService(t, { databaseUrl, clock })
  const [phone] = await factorsOf(service, ada.accessToken)
  const removed = await service.delete(
    `/2fa/factors/${phone?.id}`,
    await accountTokenFor(service, ada.accessToken),
  )
  t.equal(outcomeOf(removed), '403 two_factor_required', 'codes by mail are switched off')
})
