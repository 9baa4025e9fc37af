// The attack: somebody who can write to the database, but does not have SECRET_KEY, puts a secret that they know
// in the place of one that they do not, or damages one to see what the service does without it.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { UnsealError } from '../../src/crypto/secret-box.ts'
import { totp } from '../helpers/people/totp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import {
  type Enrolled,
  enrol,
  login,
  nextCode,
  type Service,
  startService,
} from '../helpers/service/service.ts'

interface Scene {
  service: Service
  victim: Enrolled
  mallory: Enrolled
}

async function scene(t: Test): Promise<Scene> {
  const service = await startService(t)
  const scene = { service, victim: await enrol(service, 'victim'), mallory: await enrol(service, 'mallory') }
  service.clock.advance(300)
  return scene
}

const factorOf = ({ service }: Scene, { id }: Enrolled) =>
  service.db.selectFrom('totp_factors').selectAll().where('account_id', '=', id).executeTakeFirstOrThrow()

const reseal = ({ service }: Scene, { id }: Enrolled, sealed_secret: string) =>
  service.db.updateTable('totp_factors').set({ sealed_secret }).where('account_id', '=', id).execute()

/** Nobody gets in, the answer is a problem without internals, and the log has the reason. */
async function assertShut(t: Test, scene: Scene, name: string, secrets: Enrolled[]): Promise<void> {
  const { service, victim } = scene
  const answers = []
  for (const { secret } of secrets) {
    const code = totp(secret, service.clock.now())
    answers.push(await service.post('/2fa/verify', { code }, await login(service, victim.username)))
  }
  for (const answer of answers) {
    t.equal(outcomeOf(answer), '503 unavailable', name)
    t.match(answer.headers['content-type'], 'application/problem+json')
    t.notMatch(answer.text, /totp_factors|seal|does not open|cut short/i, 'the answer has no internals')
    const line = service.logLines.find(
      (line) => line.includes('request failed') && line.includes(answer.body.request_id),
    )
    t.match(line ?? '', /UnsealError/, 'the log tells the operator')
  }
}

t.test("a sealed secret in another account's row opens nothing", async (t) => {
  const now = await scene(t)
  const { service, victim, mallory } = now
  const right = await service.post(
    '/2fa/verify',
    { code: totp(victim.secret, service.clock.now()) },
    await login(service, 'victim'),
  )
  t.equal(right.status, 200, 'before it was moved, all was well')
  service.clock.advance(30)

  const { sealed_secret } = await factorOf(now, mallory)
  await reseal(now, victim, sealed_secret)
  await assertShut(t, now, 'the secret alone', [mallory, victim])

  await service.db.deleteFrom('totp_factors').where('account_id', '=', victim.id).execute()
  await service.db
    .updateTable('totp_factors')
    .set({ account_id: victim.id })
    .where('account_id', '=', mallory.id)
    .execute()
  await assertShut(t, now, 'the whole row', [mallory, victim])
})

t.test('a secret that was sealed for the factor before opens nothing in the next', async (t) => {
  const now = await scene(t)
  const { id: _, ...rest } = await factorOf(now, now.victim)
  await now.service.db
    .updateTable('totp_factors')
    .set({ id: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e' })
    .where('account_id', '=', rest.account_id)
    .execute()
  await assertShut(t, now, 'another factor id', [now.victim])
})

t.test('a sealed secret with one bit changed, cut or replaced opens nothing', async (t) => {
  const now = await scene(t)
  const { sealed_secret } = await factorOf(now, now.victim)
  const [keyId = '', body = ''] = sealed_secret.split('.')
  const bytes = Buffer.from(body, 'base64url')
  const flip = (at: number) => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    return `${keyId}.${copy.toString('base64url')}`
  }
  const damages: Record<string, string> = {
    'a bit of the nonce': flip(0),
    'a bit of the tag': flip(12),
    'a bit of the secret': flip(28),
    'the last bit': flip(bytes.length - 1),
    'the last byte cut off': `${keyId}.${bytes.subarray(0, -1).toString('base64url')}`,
    'the tag alone': `${keyId}.${bytes.subarray(0, 28).toString('base64url')}`,
    'less than a tag': `${keyId}.${bytes.subarray(0, 20).toString('base64url')}`,
    'an unknown key': `00000000.${body}`,
    'no key': `.${body}`,
    'nothing sealed': `${keyId}.`,
    'the empty text': '',
    'the secret in clear': now.victim.secret,
    'random bytes': `${keyId}.${randomBytes(48).toString('base64url')}`,
  }
  for (const [name, sealed] of Object.entries(damages)) {
    await reseal(now, now.victim, sealed)
    await assertShut(t, now, name, [now.victim])
  }
  await reseal(now, now.victim, sealed_secret)
  const restored = { code: totp(now.victim.secret, now.service.clock.now()) }
  const answer = await now.service.post('/2fa/verify', restored, await login(now.service, 'victim'))
  t.equal(answer.status, 200, 'none of it was spent')
})

t.test('an account whose secret is damaged is not an account without a factor', async (t) => {
  const now = await scene(t)
  const { service, victim, mallory } = now
  await reseal(now, victim, 'damaged')
  const { body } = await service.post('/login', { username: 'victim', password: 'correct horse battery' })
  t.match(body, { mfa_required: true, enrolled: true })
  t.equal(outcomeOf(await service.post('/2fa/setup', undefined, body.mfa_token)), '409 already_enrolled')

  const code = victim.recoveryCodes[0]
  const recovered = await service.post('/2fa/verify', { code, method: 'recovery_code' }, body.mfa_token)
  t.equal(recovered.status, 200, 'the owner has a way in')
  const other = await service.post(
    '/2fa/verify',
    { code: nextCode(service, mallory) },
    await login(service, 'mallory'),
  )
  t.equal(other.status, 200, 'other accounts do not notice')
})

t.test("a recovery code's hash in another account's row opens nothing", async (t) => {
  const { service, victim, mallory } = await scene(t)
  await service.db.deleteFrom('recovery_codes').where('account_id', '=', victim.id).execute()
  await service.db.updateTable('recovery_codes').set({ account_id: victim.id }).execute()
  for (const code of mallory.recoveryCodes.slice(0, 3)) {
    const proof = { code, method: 'recovery_code' }
    const answer = await service.post('/2fa/verify', proof, await login(service, 'victim'))
    t.equal(outcomeOf(answer), '422 invalid_code')
  }
})

t.test('a service does not start on keys that were damaged or moved', async (t) => {
  const { service } = await scene(t)
  const { db, databaseUrl, clock } = service
  const [key] = await db.selectFrom('signing_keys').selectAll().execute()
  const [hashKey] = await db.selectFrom('hash_keys').selectAll().execute()
  for (const sealed of [hashKey?.sealed_key, `${key?.sealed_private_key.slice(0, -4)}AAAA`, '']) {
    await db
      .updateTable('signing_keys')
      .set({ sealed_private_key: String(sealed) })
      .execute()
    await t.rejects(startService(t, { databaseUrl, clock }), UnsealError)
  }
  await db
    .updateTable('signing_keys')
    .set({ sealed_private_key: String(key?.sealed_private_key) })
    .execute()
  await db
    .updateTable('hash_keys')
    .set({ sealed_key: String(key?.sealed_private_key) })
    .execute()
  await t.rejects(startService(t, { databaseUrl, clock }), UnsealError)
})
