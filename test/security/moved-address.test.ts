// The attack: a thief who has moved the address of an account receives its resets from then on. So a password and a weaker
// factor, or a copied access token, tries to move it, and the owner must hear of it where she was.
import t from 'tap'
import {
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  notices,
  proveEmail,
  setEmail,
  signInByEmail,
} from '../helpers/people/mail.ts'
import { accountTokenFor, isAlive, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { nextCode, PASSWORD, startService } from '../helpers/service/service.ts'

const THIEVES = { email: 'mallory@evil.example' }

t.test('password and mailbox do not move the address of an account that has an authenticator', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithCodes(service)
  const { body } = await signInByEmail(service)
  t.equal(body.account_token, undefined, 'a level below the best')
  isProblem(t, await service.put('/me/email', THIEVES, body.access_token), 'insufficient_user_authentication')
  const forced = await accountTokenFor(service, body.access_token)
  isProblem(t, await service.put('/me/email', THIEVES, forced), 'insufficient_user_authentication')
  const byPassword = { method: 'password', password: PASSWORD }
  isProblem(
    t,
    await service.post('/2fa/step-up', byPassword, body.access_token),
    'insufficient_user_authentication',
  )
  t.strictSame(await deliver(service), [])
})

t.test('a token of before the authenticator does not move it afterwards', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const thief = signedInBy(await signInByEmail(service))
  const { secret } = (await service.post('/2fa/setup', undefined, ada.accountToken)).body
  const code = nextCode(service, { secret })
  t.equal((await service.post('/2fa/setup/confirm', { code }, ada.accountToken)).status, 200)
  isProblem(t, await service.put('/me/email', THIEVES, thief.accountToken), 'invalid_token')
})

t.test('a copied access token does not move it', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  isProblem(t, await service.put('/me/email', THIEVES, ada.accessToken), 'insufficient_user_authentication')
  isProblem(t, await proveEmail(service, ada.accessToken, '000000'), 'invalid_code')
})

t.test(
  'at the best level it moves, the owner hears of it at the old address, and other sessions end',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolWithCodes(service)
    const other = await signIn(service, ada)
    service.clock.advance(60)
    t.equal((await setEmail(service, ada.accessToken, 'new@example.com')).status, 202)
    t.equal((await proveEmail(service, ada.accessToken, codeIn(service.smtp.mails.at(-1)))).status, 200)
    t.strictSame(notices(await deliver(service)).toSorted(), [
      'your address was changed → ada@example.com',
      'your address was changed → new@example.com',
    ])
    t.notOk(await isAlive(service, other.accessToken))
  },
)

t.test('so does the owner whose only factor is the mailbox that was left', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  await setEmail(service, ada.accessToken, 'new@example.com')
  await proveEmail(service, ada.accessToken, codeIn(service.smtp.mails.at(-1)))
  t.ok(notices(await deliver(service)).includes('your address was changed → ada@example.com'))
})
