// The attack: somebody reads the mailbox of an account. The mailbox resets the password; where it also receives
// the codes, it would open both doors (OWASP ASVS 6.4.3: a reset must not go round the second factor).
import t from 'tap'
import { outcomeOf } from '../helpers/burst.ts'
import {
  answerByEmail,
  enrolByEmail,
  enrolWithAddress,
  type MailingService,
  mailedCode,
  mailedToken,
  signInByEmail,
  startMailingService,
} from '../helpers/mail.ts'
import { isProblem } from '../helpers/problems.ts'
import { type Answer, login, nextCode, type Service } from '../helpers/service.ts'
import { claimsOf } from '../helpers/sessions.ts'

const NEXT = 'chosen by a thief'

function reset(service: Service, token: string, recoveryCode?: string): Promise<Answer> {
  return service.post('/password/reset', { token, new_password: NEXT, recovery_code: recoveryCode })
}

t.test('where the mailbox is the only factor, a reset takes a recovery code', async (t) => {
  const service = await startMailingService(t)
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

t.test('wrong recovery codes at a reset are counted', async (t) => {
  const service = await startMailingService(t)
  await enrolByEmail(service)
  const token = await mailedToken(service)
  for (let guess = 0; guess < 10; guess += 1)
    t.equal(
      outcomeOf(await reset(service, token, `AAAA-BBBB-CCCC-DDDD-EEEE-000${guess}`)),
      '422 invalid_code',
    )
  isProblem(t, await reset(service, token, 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF'), 'too_many_attempts')
})

t.test('beside an authenticator, the mailbox that reset the password answers no challenge', async (t) => {
  const service = await startMailingService(t)
  const ada = await enrolWithAddress(service)
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
  const service = await startMailingService(t)
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  await reset(service, await mailedToken(service))
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', answer, await login(service, 'ada', NEXT))).status, 200)
  const { body } = await service.post('/login', { username: 'ada', password: NEXT })
  t.strictSame(body.methods, ['totp', 'email', 'recovery_code'])
})

t.test('a code that was mailed before the reset answers nothing after it', async (t) => {
  const service = await startMailingService(t)
  await enrolWithAddress(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  service.clock.advance(60)
  await reset(service, await mailedToken(service))
  t.equal(outcomeOf(await answerByEmail(service, code, mfaToken)), '401 invalid_token')
})
