// The attacks on passkeys: a page that poses as this service, an answer of another place and time, a copied key. A browser
// cannot be brought to most of it, so the authenticator is one of software.
import t, { type Test } from 'tap'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { factorId } from '../helpers/people/factors.ts'
import { deliver, enrolWithAddress, notices } from '../helpers/people/mail.ts'
import {
  addPasskey,
  enrolPasskey,
  newPasskey,
  ORIGIN,
  signed,
  signInAlone,
  signInWith,
} from '../helpers/people/passkeys.ts'
import { accountTokenFor, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { enrol, login, PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'
import { type Habits, SoftPasskey } from '../helpers/webauthn/soft-passkey.ts'

const service = await startService(t)
const { clock } = service

type Bad = [what: string, once: Partial<Habits>, reason: string]

const BAD: readonly Bad[] = [
  ['a page that poses as this service', { origin: 'https://localhost.evil.test' }, 'origin'],
  ['the same page without TLS elsewhere', { origin: 'http://localhost:8080' }, 'origin'],
  ['a frame in another page', { clientData: { crossOrigin: true } }, 'origin'],
  ['a frame in a page that is named', { clientData: { crossOrigin: true, topOrigin: ORIGIN } }, 'origin'],
  ['a foreign top origin', { clientData: { topOrigin: 'https://evil.test' } }, 'origin'],
  ['another relying party', { rpId: 'evil.test' }, 'credential'],
  ['no one at the authenticator', { up: false }, 'credential'],
  ['an authenticator that has become copyable', { be: true, bs: true }, 'credential'],
  ['a state of backup that cannot be', { bs: true }, 'credential'],
  ['a signature that is not its own', { spoilSignature: (right) => right.fill(7, 40) }, 'credential'],
  ['no signature to speak of', { spoilSignature: () => Buffer.alloc(1) }, 'credential'],
  ['data that end too soon', { spoilAuthenticatorData: (right) => right.subarray(0, 36) }, 'credential'],
  ['data with a tail', { spoilAuthenticatorData: (right) => Buffer.concat([right, right]) }, 'credential'],
  ['the answer to a creation', { clientData: { type: 'webauthn.create' } }, 'credential'],
  ['another challenge', { clientData: { challenge: 'AAAA' } }, 'challenge'],
  ['no challenge', { clientData: { challenge: null } }, 'credential'],
]

t.test('a sign-in by passkey is refused for each of these, and none uses the challenge up', async (t) => {
  const { passkey } = await enrolPasskey(service)
  for (const [what, once, reason] of BAD) {
    const mfaToken = await login(service)
    const { public_key: options } = (await service.post('/2fa/passkeys/challenge', undefined, mfaToken)).body
    const bad = await service.post(
      '/2fa/verify',
      { method: 'passkey', credential: passkey.get(options, once) },
      mfaToken,
    )
    t.match(bad.body, { code: 'passkey_rejected', reason, attempts_left: 4 }, what)
    const alone = await signInAlone(service, passkey, once)
    t.match(alone.body, { code: 'passkey_rejected', reason }, `${what}, alone`)
    const right = { method: 'passkey', credential: passkey.get(options) }
    t.equal((await service.post('/2fa/verify', right, mfaToken)).status, 200, what)
  }
})

t.test('a new passkey is refused for each of these', async (t) => {
  const { body } = await enrolPasskey(service, 'bob')
  const bad: Bad[] = [
    ...BAD.slice(0, 7),
    ['the answer to a sign-in', { clientData: { type: 'webauthn.get' } }, 'credential'],
    ['another challenge', { clientData: { challenge: 'AAAA' } }, 'challenge'],
    ['half an attestation', { spoilAttestationObject: (right) => right.subarray(0, 90) }, 'credential'],
    ['a text for an attestation', { spoilAttestationObject: () => Buffer.from('none') }, 'credential'],
  ]
  for (const [what, once, reason] of bad) {
    const refused = await addPasskey(service, newPasskey(), body.account_token, { once })
    t.match(refused.body, { code: 'passkey_rejected', reason }, what)
  }
  t.equal(
    (await addPasskey(service, newPasskey(), body.account_token)).status,
    201,
    'the token is still good',
  )
})

t.test('a challenge answers one question, of one account, once', async (t) => {
  const { passkey } = await enrolPasskey(service, 'carol')
  const mallory = await enrolPasskey(service, 'mallory')
  const ask = async (path: string, token?: string) =>
    (await service.post(path, undefined, token)).body.public_key
  const [own = '', other = ''] = [await login(service, 'carol'), await login(service, 'carol')]
  const session = (await signInAlone(service, passkey)).body
  const elsewhere: [string, object][] = [
    ['of another sign-in', await ask('/2fa/passkeys/challenge', other)],
    ['of another account', await ask('/2fa/passkeys/challenge', await login(service, 'mallory'))],
    ['of a session', await ask('/2fa/passkeys/challenge', session.access_token)],
    ['of a sign-in alone', await ask('/login/passkey/options')],
    ['of a creation', await ask('/2fa/passkeys/options', session.account_token)],
  ]
  for (const [what, options] of elsewhere.slice(0, 4)) {
    const answer = { method: 'passkey', credential: passkey.get({ ...options, rpId: 'localhost' } as never) }
    const refused = await service.post('/2fa/verify', answer, own)
    t.match(refused.body, { code: 'passkey_rejected', reason: 'challenge' }, what)
  }
  const created = elsewhere[4]?.[1] as never
  const alone = await service.post('/login/passkey', {
    credential: passkey.get({ ...(created as object), rpId: 'localhost' } as never),
  })
  t.match(alone.body, { code: 'passkey_rejected', reason: 'challenge' }, 'of a creation')
  const stepUp = { method: 'passkey', credential: passkey.get(elsewhere[0]?.[1] as never) }
  const stepped = await service.post('/2fa/step-up', stepUp, session.access_token)
  t.match(stepped.body, { code: 'passkey_rejected', reason: 'challenge' }, 'a session of a sign-in')
  const stolen = await service.post('/2fa/verify', await signed(service, mallory.passkey, own), own)
  t.match(stolen.body, { code: 'passkey_rejected', reason: 'credential', attempts_left: 0 })
})

t.test('a challenge expires, also one that a clock ahead has made', async (t) => {
  const { passkey } = await enrolPasskey(service, 'dan')
  const late = async (path: string, token: string | undefined, seconds: number) => {
    const { public_key: options } = (await service.post(path, undefined, token)).body
    clock.advance(seconds)
    return passkey.get(options)
  }
  for (const [seconds, outcome] of [
    [599, '200'],
    [601, '422 passkey_rejected'],
    [-3600, '422 passkey_rejected'],
  ] as const) {
    const credential = await late('/login/passkey/options', undefined, seconds)
    t.equal(outcomeOf(await service.post('/login/passkey', { credential })), outcome, `${seconds} s`)
  }
  clock.advance(3600)
  const { access_token } = (await signInAlone(service, passkey)).body
  const credential = await late('/2fa/passkeys/challenge', access_token, 301)
  const stepUp = await service.post('/2fa/step-up', { method: 'passkey', credential }, access_token)
  t.match(stepUp.body, { code: 'passkey_rejected', reason: 'challenge' })
})

t.test('a burst of one answer over two processes opens one session', async (t) => {
  const { passkey } = await enrolPasskey(service, 'eve')
  const { databaseUrl } = service
  const second = await startService(t, { databaseUrl, clock })
  const processes = [service, second]
  const pick = (index: number) => processes[index % 2] as Service
  const { public_key: options } = (await service.post('/login/passkey/options')).body
  const credential = passkey.get(options)
  const alone = await burst(10, (index) => pick(index).post('/login/passkey', { credential }))
  t.strictSame(tally(alone), { 200: 1, '422 passkey_rejected': 9 })
  const mfaToken = await login(service, 'eve')
  const answer = await signed(service, passkey, mfaToken)
  const answers = await burst(4, (index) => pick(index).post('/2fa/verify', answer, mfaToken))
  t.equal(tally(answers)[200], 1)
  const { body } = await signInAlone(service, passkey)
  const made = newPasskey()
  const { public_key: creation } = (
    await service.post('/2fa/passkeys/options', undefined, body.account_token)
  ).body
  const sent = { credential: made.create(creation) }
  const adding = await burst(6, (index) => pick(index).post('/2fa/passkeys', sent, body.account_token))
  t.equal(tally(adding)[201], 1)
})

t.test(
  'a counter that falls is refused, recorded and mailed; one that is not kept is not looked at',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolWithAddress(service)
    const key = newPasskey({ counter: 7 })
    t.equal((await addPasskey(service, key, await accountTokenFor(service, ada.accessToken))).status, 201)
    t.equal((await signInAlone(service, key, { counter: 8 })).status, 200)
    await deliver(service)
    for (const counter of [8, 3, 0]) {
      const refused = await signInAlone(service, key, { counter })
      t.match(refused.body, { code: 'passkey_rejected', reason: 'counter' }, `${counter}`)
    }
    const events = (await service.db.selectFrom('audit_events').select('event').execute()).map(
      ({ event }) => event,
    )
    t.equal(events.filter((event) => event === 'passkey_counter_fell').length, 3)
    t.match(notices(await deliver(service)), ['a passkey was refused → ada@example.com'])
    t.equal((await signInAlone(service, key, { counter: 9 })).status, 200, 'its owner goes on')

    const synced = newPasskey({ counter: 5, be: true, bs: true })
    await enrolPasskey(service, 'bob', synced)
    t.equal((await signInAlone(service, synced, { counter: 1 })).status, 200, 'a synced one cannot count')
    const silent = newPasskey()
    await enrolPasskey(service, 'carol', silent)
    for (let i = 0; i < 2; i += 1)
      t.equal((await signInAlone(service, silent)).status, 200, 'zero is no count')
  },
)

t.test('a credential belongs to one account of the whole service', async (t) => {
  const passkey = newPasskey()
  await enrolPasskey(service, 'frank', passkey)
  const { body } = await enrolPasskey(service, 'grace')
  const taken = await addPasskey(service, passkey, body.account_token)
  t.match(taken.body, { code: 'passkey_rejected', reason: 'credential' })
  const own = await signInWith(service, passkey, { username: 'frank', once: { userHandle: null } })
  t.equal(own.status, 200)
})

t.test('alone, a passkey says whose it is', async (t) => {
  const { passkey } = await enrolPasskey(service, 'heidi')
  for (const userHandle of [null, 'AAAA']) {
    const refused = await signInAlone(service, passkey, { userHandle })
    t.match(refused.body, { code: 'passkey_rejected', reason: 'credential' }, String(userHandle))
  }
})

t.test('a password and a code that were phished neither add nor remove a passkey', async (t) => {
  const ada = await enrol(service, 'ivan')
  clock.advance(30)
  const passkey = newPasskey()
  t.equal((await addPasskey(service, passkey, ada.accountToken)).status, 201, 'the first one takes the code')
  const thief = await signIn(service, ada)
  const kept = await factorId(service, thief.accessToken, 'passkey')
  for (const refused of [
    await service.post('/2fa/passkeys/options', undefined, thief.accountToken),
    await service.delete(`/2fa/factors/${kept}`, thief.accountToken),
  ]) {
    t.equal(outcomeOf(refused), '401 insufficient_user_authentication')
    t.match(refused.headers['www-authenticate'], /acr_values="phr"/)
  }
  const renewed = await service.post('/2fa/recovery-codes', undefined, thief.accountToken)
  t.equal(outcomeOf(renewed), '401 insufficient_user_authentication', 'nor makes recovery codes, which could')
  const byRecovery = await service.post('/login', {
    username: 'ivan',
    password: PASSWORD,
    recovery_code: ada.recoveryCodes[0],
  })
  t.equal((await addPasskey(service, newPasskey(), byRecovery.body.account_token)).status, 201)
  t.equal((await signInAlone(service, passkey)).status, 200)
})

t.test('a new passkey removes nothing older on its first day, and itself at once', async (t) => {
  const judy = await enrol(service, 'judy')
  clock.advance(60)
  const passkey = newPasskey()
  const { factor } = (await addPasskey(service, passkey, judy.accountToken)).body
  const { body } = await signInAlone(service, passkey)
  const older = await factorId(service, body.access_token, 'totp')
  const refused = await service.delete(`/2fa/factors/${older}`, body.account_token)
  t.match(refused.body, { code: 'insufficient_user_authentication', reason: 'factor_too_new' })
  t.equal((await service.delete(`/2fa/factors/${factor.id}`, body.account_token)).status, 200)
})

t.test('what no browser sends is a problem, and never a fault of the service', async (t) => {
  const { passkey } = await enrolPasskey(service, 'ken')
  const { public_key: options } = (await service.post('/login/passkey/options')).body
  const right = passkey.get(options)
  const spoilt = (path: readonly string[], value: unknown): object => {
    const [member = '', ...rest] = path
    const copy = structuredClone(right) as unknown as Record<string, unknown>
    if (rest.length === 0) copy[member] = value
    else copy[member] = { ...(copy[member] as object), [rest[0] as string]: value }
    return copy
  }
  const values = ['', 'AA', '!!', 'A'.repeat(11_999), 0, null, {}, [], true, '\u0000', 'e30', 'bnVsbA', 'W10']
  for (const path of [['id'], ['rawId'], ['type'], ['response']])
    for (const value of values) await refusedCleanly(t, spoilt(path, value))
  for (const member of ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle'])
    for (const value of values) await refusedCleanly(t, spoilt(['response', member], value))
  t.equal(
    (await service.post('/login/passkey', { credential: right })).status,
    200,
    'and the right one is still good',
  )
})

async function refusedCleanly(t: Test, credential: object): Promise<void> {
  const { status, body } = await service.post('/login/passkey', { credential })
  // A missing handle is a missing handle, and the empty object is as good as another one for what is not signed.
  t.match(String(status), /^4/, `${JSON.stringify(credential).slice(0, 80)} ${JSON.stringify(body)}`)
}

t.test('an account token stands for what was shown when it was made', async (t) => {
  const lea = await enrol(service, 'lea')
  clock.advance(30)
  const passkey = newPasskey()
  t.equal((await addPasskey(service, passkey, lea.accountToken)).status, 201)
  const byCode = await signIn(service, lea)
  const passkeyId = await factorId(service, byCode.accessToken, 'passkey')
  const totpId = await factorId(service, byCode.accessToken, 'totp')
  const answer = await signed(service, passkey, byCode.accessToken)
  t.equal((await service.post('/2fa/step-up', answer, byCode.accessToken)).status, 200)
  const removal = await service.delete(`/2fa/factors/${passkeyId}`, byCode.accountToken)
  t.equal(outcomeOf(removal), '401 insufficient_user_authentication')

  const byPasskey = (await signInAlone(service, passkey)).body
  clock.advance(30)
  const code = totp(lea.secret, clock.now())
  t.equal((await service.post('/2fa/step-up', { code }, byPasskey.access_token)).status, 200)
  const tooNew = await service.delete(`/2fa/factors/${totpId}`, byPasskey.account_token)
  t.match(tooNew.body, { code: 'insufficient_user_authentication', reason: 'factor_too_new' })
})

t.test('what a client sends does not say whether a passkey is new', async (t) => {
  const { passkey } = await enrolPasskey(service, 'mike')
  const { public_key: options } = (await service.post('/login/passkey/options')).body
  const right = passkey.get(options)
  const both = { ...right, response: { ...right.response, attestationObject: 'AA', transports: 5 } }
  t.equal((await service.post('/login/passkey', { credential: both })).status, 200)
  await register(service, 'nina')
  const mfaToken = await login(service, 'nina')
  const { public_key: creation } = (await service.post('/2fa/passkeys/options', undefined, mfaToken)).body
  const made = newPasskey().create(creation)
  const response = { ...made.response, signature: 'AA', transports: ['a\u0000b'] }
  const answer = { method: 'passkey', credential: { ...made, response } }
  const refused = await service.post('/2fa/verify', answer, mfaToken)
  t.equal(outcomeOf(refused), '422 passkey_rejected')
  const sent = { credential: { ...made, response } }
  t.equal(outcomeOf(await service.post('/2fa/passkeys', sent, mfaToken)), '400 validation_failed')
})

t.test('a race of two answers does not set a counter back', async (t) => {
  const key = newPasskey({ counter: 0 })
  await enrolPasskey(service, 'olga', key)
  const ask = async () => (await service.post('/login/passkey/options')).body.public_key
  const [first, second] = [key.get(await ask(), { counter: 5 }), key.get(await ask(), { counter: 0 })]
  await Promise.all([first, second].map((credential) => service.post('/login/passkey', { credential })))
  const { sign_count } = await service.db
    .selectFrom('passkeys')
    .select('sign_count')
    .where('credential_id', '=', key.id.toString('base64url'))
    .executeTakeFirstOrThrow()
  t.equal(sign_count, 5)
})

t.test('a clean-up by a clock that was ahead makes no answer good again', async (t) => {
  const { passkey } = await enrolPasskey(service, 'paul')
  const { public_key: options } = (await service.post('/login/passkey/options')).body
  const credential = passkey.get(options)
  t.equal((await service.post('/login/passkey', { credential })).status, 200)
  clock.advance(2 * 3600)
  await cleanUp(service.deps)
  clock.advance(-2 * 3600)
  t.equal(outcomeOf(await service.post('/login/passkey', { credential })), '422 passkey_rejected')
  clock.advance(8 * 24 * 3600)
  t.ok(((await cleanUp(service.deps)).spent_passkey_challenges ?? 0) > 0, 'and after a week it is gone')
})

t.test('a key whose signatures cannot be checked is no passkey, nor is an id without end', async (t) => {
  await register(service, 'rita')
  const mfaToken = await login(service, 'rita')
  const { public_key: options } = (await service.post('/2fa/passkeys/options', undefined, mfaToken)).body
  const long = new SoftPasskey({ origin: ORIGIN }, 'ES256', Buffer.alloc(1024, 1))
  const sent = { credential: long.create(options) }
  t.equal(outcomeOf(await service.post('/2fa/passkeys', sent, mfaToken)), '400 validation_failed')
  // The coordinates of the key are the last of what the authenticator says.
  const offTheCurve = newPasskey().create(options, {
    spoilAuthenticatorData: (right) => right.fill(3, right.length - 20),
  })
  const refused = await service.post('/2fa/passkeys', { credential: offTheCurve }, mfaToken)
  t.match(refused.body, { code: 'passkey_rejected', reason: 'credential' })
})
