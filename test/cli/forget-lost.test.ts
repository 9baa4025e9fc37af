import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { forgetLost } from '../../src/cli/commands/forget-lost.ts'
import { reseal } from '../../src/cli/table-rows.ts'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { migrateDown } from '../../src/platform/migrate.ts'
import { enrolByEmail, signInByEmail } from '../helpers/people/mail.ts'
import { addPasskey, enrolPasskey, newPasskey, signInWith } from '../helpers/people/passkeys.ts'
import { accountTokenFor, isAlive, refresh } from '../helpers/people/sessions.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import {
  enrol,
  login,
  nextCode,
  PASSWORD,
  register,
  runningClock,
  type Service,
  startService,
} from '../helpers/service/service.ts'

/** SECRET_KEY is lost: passwords stay, and what it sealed is gone without a door for strangers. */

const [OLD, NEW] = [randomBytes(32), randomBytes(32)]

const environmentOf = ({ databaseUrl }: Service, key = NEW) => ({
  DATABASE_URL: databaseUrl,
  SECRET_KEY: key.toString('base64'),
})

async function setUp(service: Service, username: string, given?: object): Promise<string> {
  return outcomeOf(await service.post('/2fa/setup', given, await login(service, username)))
}

t.test(
  'who had an authenticator signs in with the password and a code of the operator, and no one else',
  async (t) => {
    const before = await startService(t, { rootKeys: [OLD], clock: runningClock() })
    const ada = await enrol(before)
    await enrolPasskey(before, 'grace')
    await register(before, 'alan')
    const keyturn = keyturnOn(environmentOf(before))
    await before.close()

    const folder = t.testdir()
    const exported = await keyturn('export', `${folder}/all.jsonl`, '--with-password-hashes')
    t.equal(exported.code, 0, 'accounts and hashes can be had without the key')
    t.match(readFileSync(`${folder}/all.jsonl`, 'utf8'), /"password_hash":"\$argon2id/)

    t.match(await keyturn('keys', 'forget-lost'), {
      code: 2,
      stderr: /Delete for good what is sealed under [0-9a-f]{8} /,
    })
    t.match(await keyturn.json('keys', 'forget-lost', '--yes'), { accounts_reset: 2, sessions_ended: 2 })
    t.match(await keyturn('keys', 'forget-lost', '--yes'), { code: 1, stderr: /^Nothing is lost/ })

    const service = await startService(t, {
      databaseUrl: before.databaseUrl,
      clock: before.clock,
      rootKeys: [NEW],
    })
    t.equal((await refresh(service, ada.refreshToken)).status, 401)
    t.notOk(await isAlive(service, ada.accessToken))
    t.equal(await setUp(service, 'ada'), '403 enrolment_code_required', 'a stranger who knows the password')
    const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
    t.equal(
      (await service.post('/2fa/verify', answer, await login(service))).status,
      403,
      'or has a recovery code',
    )
    const { enrolment_code } = await keyturn.json('users', 'reset-2fa', 'ada', '--yes')
    t.equal(await setUp(service, 'ada', { enrolment_code }), '200')
    t.equal(await setUp(service, 'alan'), '200', 'who had nothing begins as before')
    t.equal(
      await setUp(service, 'grace'),
      '403 enrolment_code_required',
      'a passkey is bound to the hash key',
    )
    const told = (await keyturn.events('--actor', 'operator')).map(({ event }) => event)
    t.strictSame(told, [
      'accounts_exported',
      'lost_keys_forgotten',
      'factors_reset',
      'factors_reset',
      'factors_reset',
    ])
  },
)

t.test('a lost key keeps no one from a version with a way out', async (t) => {
  const before = await startService(t, { rootKeys: [OLD] })
  await before.close()
  const db = await openDatabase(before.databaseUrl)
  await migrateDown(db)
  await db.destroy()
  const keyturn = keyturnOn(environmentOf(before))
  t.match(await keyturn('migrate', 'up'), { code: 1, stderr: /^SECRET_KEY is not the key/ })
  t.match(await keyturn('keys', 'forget-lost', '--yes'), { code: 0 })
  t.match(await keyturn('migrate', 'up'), { code: 0, stdout: /^Nothing to do/ })
})

t.test('it is refused while a service runs', async (t) => {
  const service = await startService(t, { rootKeys: [OLD] })
  const keyturn = keyturnOn(environmentOf(service))
  t.match(await keyturn('keys', 'forget-lost', '--yes'), {
    code: 1,
    stderr: /has the database open. Stop it first/,
  })
})

t.test('a passkey goes from an account that keeps another factor, which is its best one then', async (t) => {
  const before = await startService(t, { mail: true, rootKeys: [OLD] })
  const ada = await enrolByEmail(before)
  const added = await addPasskey(before, newPasskey(), await accountTokenFor(before, ada.accessToken))
  t.equal(added.status, 201)
  await before.close()
  const { databaseUrl, clock } = before
  const db = await openDatabase(databaseUrl)
  t.strictSame(await forgetLost(db, makeKeyRing([NEW]), clock), [], 'she has a factor left')
  await db.destroy()
  const service = await startService(t, {
    ...{ mail: true, databaseUrl, clock, rootKeys: [NEW] },
    spared: ['whatIsUsedStaysUsed', 'factorsWereShown'],
  })
  service.clock.advance(3_600)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.strictSame(body.methods, ['email'])
  t.ok((await signInByEmail(service)).body.account_token, 'its session may change the account')
})

t.test('where the hash key is not lost, only what was sealed under the lost key goes', async (t) => {
  const before = await startService(t, { rootKeys: [OLD] })
  const grace = await enrol(before, 'grace')
  const { passkey } = await enrolPasskey(before, 'alan')
  await reseal(before.db, makeSecretBox(makeKeyRing([NEW, OLD])))
  await before.close()
  // A replica that still sealed under the old key after that.
  const late = await startService(t, {
    databaseUrl: before.databaseUrl,
    clock: before.clock,
    rootKeys: [OLD, NEW],
  })
  const ada = await enrol(late)
  await late.close()
  const service = await startService(t, {
    databaseUrl: before.databaseUrl,
    clock: before.clock,
    rootKeys: [NEW],
  })
  t.strictSame(await forgetLost(service.db, makeKeyRing([NEW]), service.clock), [ada.id])
  const { status } = await service.post(
    '/2fa/verify',
    { code: nextCode(service, grace) },
    await login(service, 'grace'),
  )
  t.equal(status, 200)
  t.equal((await refresh(service, grace.refreshToken)).status, 200)
  t.equal(await setUp(service, 'ada'), '403 enrolment_code_required')
  t.equal((await signInWith(service, passkey, { username: 'alan' })).status, 200)
})
