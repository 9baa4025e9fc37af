// The attack: somebody reads the mailbox of an account. The mailbox resets the password; where it also receives
// the codes, it would open both doors (OWASP ASVS 6.4.3: a reset must not go round the second factor).
import t from 'tap'
import { askForPassword } from '../../src/accounts/ask-for-password.ts'
import { createAccount } from '../../src/accounts/create-account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { newOpaqueToken } from '../../src/crypto/codes.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import {
  answerByEmail,
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithCodes,
  type MailingService,
  mailedCode,
  mailedToken,
  signInByEmail,
  switchCodes,
} from '../helpers/people/mail.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { type Answer, login, nextCode, type Service, startService } from '../helpers/service/service.ts'

const NEXT = 'chosen by a thief'

function reset(service: Service, token: string, recoveryCode?: string): Promise<Answer> {
  return service.post('/password/reset', { token, new_password: NEXT, recovery_code: recoveryCode })
}

t.test('where the mailbox is the only factor, a reset takes a recovery code', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const token = await mailedToken(service)
  isProblem(t, await reset(service, token), 'recovery_code_required')
  isProblem(t, await reset(service, token, 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF'), 'invalid_code')
  const [first] = ada.recoveryCodes
  t.equal((await reset(service, token, first)).status, 204, 'the token has outlived both')
  t.equal(outcomeOf(await reset(service, token, ada.recoveryCodes[1])), '401 invalid_token')

  const mfaToken = await login(service, 'ada', NEXT)
  const again = await service.post('/2fa/verify', { code: first, method: 'recovery_code' }, mfaToken)
  t.equal(outcomeOf(again), '422 invalid_code', 'the recovery code is spent')
  t.equal((await signInAfter(service, mfaToken)).status, 200, 'the mailbox is a factor as before')
})

async function signInAfter(service: MailingService, mfaToken: string): Promise<Answer> {
  return answerByEmail(service, await mailedCode(service, mfaToken), mfaToken)
}

t.test('wrong recovery codes at a reset are events, and close nothing', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const token = await mailedToken(service)
  for (let guess = 0; guess < 10; guess += 1)
    t.equal(
      outcomeOf(await reset(service, token, `AAAA-BBBB-CCCC-DDDD-EEEE-000${guess}`)),
      '422 invalid_code',
    )
  const { body } = await service.get('/me/events', ada.accessToken)
  t.equal(body.events.filter(({ event }: { event: string }) => event === 'code_rejected').length, 10)
  t.equal((await reset(service, token, ada.recoveryCodes[0] ?? '')).status, 204)
})

t.test('beside an authenticator, the mailbox that reset the password answers no challenge', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  t.equal((await signInByEmail(service)).status, 200, 'before, it does')
  service.clock.advance(60)
  t.equal((await reset(service, await mailedToken(service))).status, 204)

  const { body } = await service.post('/login', { username: 'ada', password: NEXT })
  t.strictSame(body.methods, ['totp', 'recovery_code'])
  isProblem(t, await service.post('/2fa/email', undefined, body.mfa_token), 'email_unavailable')
  isProblem(t, await answerByEmail(service, '000000', body.mfa_token), 'email_unavailable')

  const verified = await service.post('/2fa/verify', { code: nextCode(service, ada) }, body.mfa_token)
  t.equal(claimsOf(verified.body.access_token).acr, 'aal2')
  const later = await service.post('/login', { username: 'ada', password: NEXT })
  t.strictSame(
    later.body.methods,
    ['totp', 'email', 'recovery_code'],
    'the owner has shown another factor since',
  )
})

t.test('a recovery code shows the owner as well as the authenticator does', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  service.clock.advance(60)
  await reset(service, await mailedToken(service))
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', answer, await login(service, 'ada', NEXT))).status, 200)
  const { body } = await service.post('/login', { username: 'ada', password: NEXT })
  t.strictSame(body.methods, ['totp', 'email', 'recovery_code'])
})

t.test('a code that was mailed before the reset answers nothing after it', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithCodes(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  service.clock.advance(60)
  await reset(service, await mailedToken(service))
  t.equal(outcomeOf(await answerByEmail(service, code, mfaToken)), '401 invalid_token')
})

/** What an operator has made: the owner sets the password with a mailed token. */
async function createByMail(service: MailingService): Promise<void> {
  const options = {
    username: 'ada',
    password: newOpaqueToken(),
    email: 'ada@example.com',
    emailVerified: true,
  }
  const account = await createAccount(service.deps, options, operatorCaller(), async (_trx, made) => made)
  await askForPassword(service.deps, account, operatorCaller())
}

t.test('a mailbox that has set the password does not become the first factor', async (t) => {
  const service = await startService(t, { mail: true })
  await createByMail(service)
  t.equal((await reset(service, codeIn((await deliver(service)).at(-1)))).status, 204)
  const { body } = await service.post('/login', { username: 'ada', password: NEXT })
  t.strictSame(body.methods, ['passkey', 'totp'])
  isProblem(t, await service.post('/2fa/email', undefined, body.mfa_token), 'email_unavailable')
  isProblem(t, await answerByEmail(service, '000000', body.mfa_token), 'email_unavailable')

  const { secret } = (await service.post('/2fa/setup', undefined, body.mfa_token)).body
  const code = nextCode(service, { secret })
  const verified = await service.post('/2fa/verify', { code }, body.mfa_token)
  t.equal((await switchCodes(service, verified.body.access_token, true)).status, 204)
  const later = await service.post('/login', { username: 'ada', password: NEXT })
  t.strictSame(later.body.methods, ['totp', 'email', 'recovery_code'], 'another factor was shown since')
})

t.test('nor does a second reset make it one, after an operator has taken the factors', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  service.clock.advance(60)
  t.equal((await reset(service, await mailedToken(service))).status, 204)
  const account = await service.deps.accounts.byId(ada.id)
  if (account) await resetFactors(service.deps, account, operatorCaller())
  for (let resets = 0; resets < 2; resets += 1) {
    const { body } = await service.post('/login', { username: 'ada', password: NEXT })
    t.match(body, { enrolled: false, methods: ['passkey', 'totp'] })
    service.clock.advance(60)
    t.equal((await reset(service, await mailedToken(service))).status, 204)
  }
})
