// The attack: an account whose name is a sentence or a host name (`Your-wallet-was-hacked.www.evil.example`) asks for
// a code to the address of a victim. The mail of a service that the victim may know begins with that text, and mail
// programs make a link of it.
import t from 'tap'
import {
  codeIn,
  deliver,
  mailedCode,
  proveEmail,
  registerWithEmail,
  setEmail,
} from '../helpers/people/mail.ts'
import type { ReceivedMail } from '../helpers/programs/smtp.ts'
import { enrol, PASSWORD, startService } from '../helpers/service/service.ts'

const NAME = 'Your-wallet-was-hacked.www.evil-refund.example.com'
const VICTIM = 'victim@example.com'

t.test('a code to a new address says nothing that its sender chose', async (t) => {
  const service = await startService(t, { mail: true })
  const mallory = await enrol(service, NAME)
  t.equal((await setEmail(service, mallory.accessToken, VICTIM)).status, 202)
  const mail = service.smtp.mails.at(-1) as ReceivedMail
  t.strictSame(mail.to, [VICTIM])
  t.match(mail.text, /^Hello,\r?\n/)
  t.notMatch(mail.raw, /wallet|evil/i)

  await proveEmail(service, mallory.accessToken, codeIn(mail))
  const [notice] = await deliver(service)
  t.match(notice?.text, `Hello ${NAME},`, 'a proven address is of its owner')
})

t.test('nor does a code that is to prove the address of a registration', async (t) => {
  const service = await startService(t, { mail: true })
  const { mfaToken } = await registerWithEmail(service, NAME, VICTIM)
  await mailedCode(service, mfaToken)
  const mail = service.smtp.mails.at(-1) as ReceivedMail
  t.strictSame(mail.to, [VICTIM])
  t.match(mail.text, /^Hello,\r?\n/)
  t.notMatch(mail.raw, /wallet|evil/i)
  t.notMatch(mail.text, 'somebody else knows your password', 'who reads it may have no account')
})

t.test('nothing else goes to an address that is not proven', async (t) => {
  const service = await startService(t, { mail: true })
  const { mfaToken } = await registerWithEmail(service, NAME, VICTIM)
  for (let guess = 0; guess < 5; guess += 1)
    await service.post('/2fa/verify', { code: 'AAAA', method: 'recovery_code' }, mfaToken)
  await service.post('/password/forgot', { username: NAME })
  t.strictSame(await deliver(service), [])
})

t.test(
  'a trusted proxy that passes on what its clients call themselves brings no text into a mail',
  async (t) => {
    const service = await startService(t, { mail: true, environment: { TRUST_PROXY: '127.0.0.1' } })
    for (const [index, from] of ['www.evil.example', 'fe80::1%www.evil.example'].entries()) {
      const username = `mallory-${index}`
      await registerWithEmail(service, username, VICTIM)
      const headers = { 'x-forwarded-for': from }
      const login = await service.post('/login', { username, password: PASSWORD })
      const sent = await service.post('/2fa/email', undefined, login.body.mfa_token, { headers })
      t.equal(sent.status, 202)
      t.notMatch(service.smtp.mails.at(-1)?.raw, 'evil')
    }
  },
)
