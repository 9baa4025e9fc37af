// Passkeys (WebAuthn Level 3): what they open, and what each of them shows.
import t from 'tap'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { factorId, factorsOf } from '../helpers/people/factors.ts'
import { deliver, enrolWithAddress, notices, switchCodes } from '../helpers/people/mail.ts'
import {
  addPasskey,
  enrolPasskey,
  newPasskey,
  ORIGIN,
  signed,
  signInAlone,
  signInWith,
} from '../helpers/people/passkeys.ts'
import { accountTokenFor, claimsOf, disableAccount, isAlive, refresh } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, login, PASSWORD, register, startService, wrongCode } from '../helpers/service/service.ts'
import { ALGORITHM_NAMES } from '../helpers/webauthn/key-pair.ts'

t.test('a passkey is the first factor, the second factor, and enough alone', async (t) => {
  const service = await startService(t)
  const { body, passkey } = await enrolPasskey(service)
  t.equal(body.recovery_codes.length, 10)
  t.ok(body.account_token)
  const shown = { acr: 'aal2', phr: true }
  t.match(claimsOf(body.access_token), { ...shown, amr: ['pwd', 'hwk', 'user', 'mfa'] })
  const second = await signInWith(service, passkey)
  t.match(claimsOf(second.body.access_token), { ...shown, amr: ['pwd', 'hwk', 'user', 'mfa'] })
  const alone = await signInAlone(service, passkey)
  t.equal(alone.status, 200)
  t.ok(alone.body.account_token)
  t.match(claimsOf(alone.body.access_token), { ...shown, amr: ['hwk', 'user', 'mfa'] })
  const refreshed = (await refresh(service, alone.body.refresh_token)).body
  t.match(claimsOf(refreshed.access_token), { ...shown, amr: ['hwk', 'user', 'mfa'] })
  t.notOk('account_token' in refreshed)
  const { body: told } = await service.post(
    '/token/introspect',
    { token: alone.body.access_token },
    alone.body.access_token,
  )
  t.match(told, { active: true, ...shown })
})

t.test('a code shows nothing that a service could take for a passkey', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.notOk('phr' in claimsOf(ada.accessToken))
})

t.test('a security key without user verification is a second factor, and not enough alone', async (t) => {
  const service = await startService(t)
  const { passkey } = await enrolPasskey(service, 'ada', newPasskey({ uv: false }))
  const { body } = await signInWith(service, passkey)
  t.match(claimsOf(body.access_token), { amr: ['pwd', 'hwk', 'mfa'], acr: 'aal2', phr: true })
  const alone = await signInAlone(service, passkey)
  t.equal(outcomeOf(alone), '422 passkey_rejected')
  t.equal(alone.body.reason, 'user_verification')
})

t.test('one that is copied among devices is swk, and says whether it was copied', async (t) => {
  const service = await startService(t)
  const { body, passkey } = await enrolPasskey(service, 'ada', newPasskey({ be: true, bs: false }))
  t.match(await factorsOf(service, body.access_token), [{ backed_up: false }])
  const again = await signInWith(service, passkey, { once: { bs: true } })
  t.match(claimsOf(again.body.access_token).amr, ['pwd', 'swk', 'user', 'mfa'])
  const [factor] = await factorsOf(service, again.body.access_token)
  t.match(factor, { kind: 'passkey', backed_up: true, last_used_at: /^2026/ })
})

t.test('every algorithm that is asked for works', async (t) => {
  const service = await startService(t)
  for (const algorithm of ALGORITHM_NAMES) {
    const { passkey } = await enrolPasskey(service, algorithm, newPasskey({}, algorithm))
    t.equal((await signInAlone(service, passkey)).status, 200, algorithm)
  }
})

t.test('a step-up takes a passkey, and gives an account token where its owner was verified', async (t) => {
  const service = await startService(t)
  const { passkey } = await enrolPasskey(service)
  const { body } = await signInAlone(service, passkey)
  service.clock.advance(301)
  const stepUp = async (once: object) =>
    service.post('/2fa/step-up', await signed(service, passkey, body.access_token, once), body.access_token)
  const verified = await stepUp({})
  t.ok(verified.body.account_token)
  t.match(claimsOf(verified.body.access_token), { amr: ['hwk', 'user', 'mfa'], phr: true })
  const refused = await stepUp({ uv: false })
  t.match(refused.body, { code: 'passkey_rejected', reason: 'user_verification' }, 'no password was shown')
  t.notOk('attempts_left' in refused.body)

  const withPassword = await signInWith(service, passkey, { once: { uv: false } })
  service.clock.advance(301)
  const { access_token: token } = withPassword.body
  const touch = await service.post(
    '/2fa/step-up',
    await signed(service, passkey, token, { uv: false }),
    token,
  )
  t.equal(touch.status, 200)
  t.notOk('account_token' in touch.body, 'a touch alone is not the password')
})

t.test('the document has what a step-up refuses a passkey with', async (t) => {
  const service = await startService(t)
  const { body } = await enrolPasskey(service)
  const { public_key } = (await service.post('/2fa/passkeys/challenge', undefined, body.access_token)).body
  const other = newPasskey()
  const creation = await service.post(
    '/2fa/passkeys/options',
    undefined,
    await accountTokenFor(service, body.access_token),
  )
  other.create(creation.body.public_key)
  const credential = other.get({ ...public_key, allowCredentials: [] })
  const refused = await service.post('/2fa/step-up', { method: 'passkey', credential }, body.access_token)
  t.equal(outcomeOf(refused), '422 passkey_rejected')
  const { paths, components } = (await service.get('/openapi.json')).body
  const name = paths['/2fa/step-up'].post.responses[422].$ref.split('/').at(-1)
  t.match(JSON.stringify(components.responses[name]), /"passkey_rejected"/)
})

t.test('a step-up with the password says so, and counts it for a key that only shows presence', async (t) => {
  const service = await startService(t)
  const { passkey } = await enrolPasskey(service)
  const { access_token: token } = (await signInAlone(service, passkey)).body
  const answer = { ...(await signed(service, passkey, token, { uv: false })), password: PASSWORD }
  const { status, body } = await service.post('/2fa/step-up', answer, token)
  t.equal(status, 200)
  t.ok(body.account_token)
  t.match(claimsOf(body.access_token), { amr: ['pwd', 'hwk', 'mfa'], phr: true })
})

t.test('a password shows no passkey that the account has lost', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  t.equal((await switchCodes(service, ada.accessToken, true)).status, 204)
  const passkey = newPasskey()
  await addPasskey(service, passkey, await accountTokenFor(service, ada.accessToken))
  service.clock.advance(24 * 3600)
  let signedIn = (await signInAlone(service, passkey)).body
  for (const kind of ['totp', 'passkey']) {
    const id = await factorId(service, signedIn.access_token, kind)
    signedIn = (
      await service.delete(`/2fa/factors/${id}`, await accountTokenFor(service, signedIn.access_token))
    ).body
  }
  const again = { method: 'password', password: PASSWORD }
  const { body } = await service.post('/2fa/step-up', again, signedIn.access_token)
  const claims = claimsOf(body.access_token)
  t.match(claims, { amr: ['pwd', 'mfa'], acr: 'aal1' })
  t.notOk('phr' in claims)
})

t.test('a change brings no other account token', async (t) => {
  const service = await startService(t)
  const { passkey } = await enrolPasskey(service)
  const { body } = await signInAlone(service, passkey)
  const added = await addPasskey(service, newPasskey(), body.account_token)
  t.equal(added.status, 201)
  t.ok(await isAlive(service, body.access_token), 'one more passkey ends no session')
  t.equal(outcomeOf(await addPasskey(service, newPasskey(), body.account_token)), '401 invalid_token')
})

t.test('wrong passkeys pause nothing, and no pause stops a right one', async (t) => {
  const service = await startService(t)
  const { body, passkey } = await enrolPasskey(service)
  const { secret } = (await service.post('/2fa/setup', undefined, body.account_token)).body
  t.ok(secret)
  for (let round = 0; round < 12; round += 1) {
    const wrong = await signInWith(service, passkey, {
      once: { spoilSignature: (right) => right.fill(1, 40) },
    })
    t.match(wrong.body, { code: 'passkey_rejected', reason: 'credential', attempts_left: 4 })
  }
  for (let round = 0; round < 12; round += 1)
    await service.post('/login', { username: 'ada', password: 'not the right one' })
  const paused = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.equal(outcomeOf(paused), '429 too_many_attempts')
  t.equal((await signInAlone(service, passkey)).status, 200)
})

t.test('a passkey sets the counts of codes back to zero', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const passkey = newPasskey()
  t.equal((await addPasskey(service, passkey, ada.accountToken)).status, 201)
  for (let round = 0; round < 2; round += 1) {
    const mfaToken = await login(service)
    for (let i = 0; i < 5; i += 1)
      await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken)
  }
  const paused = await service.post('/2fa/verify', { code: '123456' }, await login(service))
  t.equal(outcomeOf(paused), '429 too_many_attempts')
  t.equal((await signInAlone(service, passkey)).status, 200)
  const again = await service.post('/2fa/verify', { code: wrongCode(service, ada) }, await login(service))
  t.equal(outcomeOf(again), '422 invalid_code')
})

t.test('what no account here has is unknown; what was removed here may be forgotten', async (t) => {
  const service = await startService(t)
  const { body, passkey, id } = await enrolPasskey(service)
  const stranger = newPasskey()
  stranger.create(
    (await service.post('/2fa/passkeys/options', undefined, body.account_token)).body.public_key,
  )
  const unknown = await signInAlone(service, stranger)
  t.equal(outcomeOf(unknown), '401 unknown_credential')
  t.notOk('reason' in unknown.body)

  await disableAccount(service, id)
  const disabled = await signInAlone(service, passkey)
  t.equal(outcomeOf(disabled), '401 unknown_credential')
  t.notOk('reason' in disabled.body, 'a closed account says nothing')
  await disableAccount(service, id, false)

  const second = newPasskey()
  const { body: signIn } = await signInAlone(service, passkey)
  const { factor } = (await addPasskey(service, second, signIn.account_token)).body
  const { account_token } = (await signInAlone(service, passkey)).body
  t.equal((await service.delete(`/2fa/factors/${factor.id}`, account_token)).status, 200)
  const removed = await signInAlone(service, second)
  t.match(removed.body, { code: 'unknown_credential', reason: 'removed' })
  const events = await service.db
    .selectFrom('audit_events')
    .select(['event', 'method', 'account_id'])
    .where('event', '=', 'code_rejected')
    .orderBy('id')
    .execute()
  const refused = { event: 'code_rejected', method: 'passkey' }
  t.strictSame(
    events,
    [null, id, id].map((account_id) => ({ ...refused, account_id })),
    'each is an event',
  )
  t.equal(outcomeOf(await signInWith(service, second)), '422 passkey_rejected', 'where a password was shown')
})

t.test('GET /2fa has what a client needs to keep the list of an authenticator true', async (t) => {
  const service = await startService(t)
  const { body, passkey } = await enrolPasskey(service)
  const { passkeys } = (await service.get('/2fa', body.access_token)).body
  t.match(passkeys, { rp_id: 'localhost', credential_ids: [passkey.id.toString('base64url')] })
  const { public_key: options } = (await service.post('/2fa/passkeys/options', undefined, body.account_token))
    .body
  t.equal(options.user.id, passkeys.user_id)
  t.not(passkeys.user_id, claimsOf(body.access_token).sub)
  t.strictSame(options.excludeCredentials, [
    { type: 'public-key', id: passkey.id.toString('base64url'), transports: ['internal'] },
  ])
  const other = await enrolPasskey(service, 'bob')
  t.not((await service.get('/2fa', other.body.access_token)).body.passkeys.user_id, passkeys.user_id)
})

t.test('a passkey is named by its owner, by its authenticator, or by where it was made', async (t) => {
  const service = await startService(t)
  const apple = Buffer.from('fbfc3007154e4ecc8c0b6e020557d7bd', 'hex')
  const { body } = await enrolPasskey(service, 'ada', newPasskey({ aaguid: apple }))
  let { account_token } = body
  const add = async (agent: string, name?: string) => {
    const { public_key: options } = (await service.post('/2fa/passkeys/options', undefined, account_token))
      .body
    const passkey = newPasskey()
    const sent = { credential: passkey.create(options), ...(name && { name }) }
    const answer = await service.post('/2fa/passkeys', sent, account_token, {
      headers: { 'user-agent': agent },
    })
    if (answer.status === 201) account_token = (await signInAlone(service, passkey)).body.account_token
    return answer
  }
  await add('Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/150.0')
  await add('curl/8')
  await add('curl/8', 'Blue key 🔑')
  const factors = await factorsOf(service, body.access_token)
  t.strictSame(
    factors.map(({ name }) => name),
    ['Apple Passwords', 'Passkey on Windows', 'Passkey', 'Blue key 🔑'],
  )
  for (const name of ['', 'a\u0007', '\u202Eyek', 'x'.repeat(65), '\u2066a'])
    t.equal(outcomeOf(await add('curl/8', name || '\u0000')), '400 validation_failed', JSON.stringify(name))
})

t.test('an account has twenty passkeys at most', async (t) => {
  const service = await startService(t)
  const { passkey, body } = await enrolPasskey(service)
  let { account_token } = body
  for (let count = 2; count <= 20; count += 1) {
    t.equal((await addPasskey(service, newPasskey(), account_token)).status, 201)
    account_token = (await signInAlone(service, passkey)).body.account_token
  }
  t.equal(outcomeOf(await addPasskey(service, newPasskey(), account_token)), '409 factor_limit_reached')
})

t.test('an account that owes an enrolment code takes no passkey without it', async (t) => {
  const service = await startService(t)
  const { id, passkey } = await enrolPasskey(service)
  const account = await service.deps.accounts.byId(id)
  const code = await resetFactors(service.deps, account as never, operatorCaller())
  t.equal(outcomeOf(await signInAlone(service, passkey)), '401 unknown_credential', 'the old one is gone')
  const mfaToken = await login(service)
  const ask = (body?: object) => service.post('/2fa/passkeys/options', body, mfaToken)
  t.equal(outcomeOf(await ask()), '403 enrolment_code_required')
  t.equal(outcomeOf(await ask({ enrolment_code: 'AAAA-BBBB-CCCC-DDDD' })), '422 invalid_code')
  const { public_key: options } = (await ask({ enrolment_code: code })).body
  const fresh = newPasskey()
  const right = await service.post('/2fa/passkeys', { credential: fresh.create(options) }, mfaToken)
  t.equal(right.status, 200)
  t.equal((await signInAlone(service, fresh)).status, 200)
})

t.test('under MFA_POLICY=optional the first passkey of a session begins a new one', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  await register(service)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  const added = await addPasskey(service, newPasskey(), body.account_token)
  t.equal(added.status, 200)
  t.equal(added.body.recovery_codes.length, 10)
  t.notOk('account_token' in added.body)
  t.notOk(await isAlive(service, body.access_token))
  t.match(claimsOf(added.body.access_token), { amr: ['pwd', 'hwk', 'user', 'mfa'], phr: true })
})

t.test('its owner is told of a passkey, and not of a code', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await deliver(service)
  const accountToken = await accountTokenFor(service, ada.accessToken)
  t.equal((await addPasskey(service, newPasskey(), accountToken)).status, 201)
  const mails = await deliver(service)
  t.strictSame(notices(mails), ['a second factor was set up → ada@example.com'])
  t.match(mails[0]?.text, /a passkey/)
  t.notMatch(mails[0]?.text, /a code/)
})

t.test(
  'passkeys work on this machine with nothing set, and elsewhere for the pages of the issuer',
  async (t) => {
    for (const [environment, rpId, origin] of [
      [{}, 'localhost', ORIGIN],
      [{ ISSUER: 'https://id.example.com/auth' }, 'id.example.com', 'https://id.example.com'],
      [
        { ISSUER: 'https://id.example.com', WEBAUTHN_RP_ID: 'example.com' },
        'example.com',
        'https://id.example.com',
      ],
      [
        { ISSUER: 'https://id.example.com', CORS_ORIGINS: 'https://app.id.example.com' },
        'id.example.com',
        'https://app.id.example.com',
      ],
      [
        {
          ISSUER: 'https://id.example.com',
          WEBAUTHN_ORIGINS: `https://shop.example.net,android:apk-key-hash:${'a'.repeat(43)}`,
        },
        'id.example.com',
        `android:apk-key-hash:${'a'.repeat(43)}`,
      ],
    ] as const) {
      const service = await startService(t, { environment })
      const { passkey } = await enrolPasskey(service, 'ada', newPasskey({ origin }))
      const { body } = await service.post('/login/passkey/options')
      t.match(body.public_key, { rpId, userVerification: 'required' })
      t.notOk('allowCredentials' in body.public_key, 'it names no one')
      t.equal((await signInAlone(service, passkey)).status, 200, origin)
      const foreign = await signInAlone(service, passkey, { origin: 'https://id.example.com.evil.test' })
      t.match(foreign.body, { code: 'passkey_rejected', reason: 'origin' })
    }
  },
)
