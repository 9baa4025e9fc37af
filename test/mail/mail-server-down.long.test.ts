import t from 'tap'
import { makeCertificates, openssl } from '../helpers/faults/certificates.ts'
import {
  answerByEmail,
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  mailedCode,
  mailing,
  registerWithEmail,
  setEmail,
} from '../helpers/people/mail.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { type Behaviour, startMailServer } from '../helpers/programs/smtp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, login, nextCode, PASSWORD, startService } from '../helpers/service/service.ts'

/** A person who waits for a mail learns that it did not go out, and other people notice nothing. */

const TROUBLES: Record<string, Behaviour> = {
  'refuses the connection': { refuse: ['connect', 421] },
  'refuses the recipient': { refuse: ['rcpt', 550] },
  'refuses the message': { refuse: ['data', 451] },
  'breaks off in the middle': { drop: 'data' },
}

t.test(
  'a code that the server does not take is void, and the next one may be asked for at once',
  async (t) => {
    const service = await startService(t, { mail: true })
    await enrolByEmail(service)
    for (const [name, behaviour] of Object.entries(TROUBLES))
      await t.test(`the server ${name}`, async (t) => {
        service.clock.advance(3600)
        const mfaToken = await login(service)
        service.smtp.behave(behaviour)
        const failed = await service.post('/2fa/email', undefined, mfaToken)
        isProblem(t, failed, 'email_delivery_failed')
        const { type: _, ...said } = failed.body
        t.notMatch(JSON.stringify(said), /refused by the test|127\.0\.0\.1|ada@/, 'the cause is for the log')
        t.strictSame(
          await service.db.selectFrom('email_codes').selectAll().where('used_at', 'is', null).execute(),
          [],
        )
        service.smtp.behave({})
        const code = await mailedCode(service, mfaToken)
        t.equal((await answerByEmail(service, code, mfaToken)).status, 200)
      })
  },
)

t.test('mails that did not go out do not count against those of the hour', async (t) => {
  const service = await startService(t, { mail: true })
  await registerWithEmail(service)
  const mfaToken = await login(service)
  service.smtp.behave({ refuse: ['connect', 421] })
  for (let mail = 0; mail < 12; mail += 1)
    t.equal(outcomeOf(await service.post('/2fa/email', undefined, mfaToken)), '503 email_delivery_failed')
  service.smtp.behave({})
  t.equal((await service.post('/2fa/email', undefined, mfaToken)).status, 202)
})

t.test('a resend that fails leaves no code at all: the one before it is void, too', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const old = await mailedCode(service, mfaToken)
  service.clock.advance(60)
  service.smtp.behave({ refuse: ['connect', 421] })
  await service.post('/2fa/email', undefined, mfaToken)
  t.equal(outcomeOf(await answerByEmail(service, old, mfaToken)), '422 invalid_code')
})

t.test('an address cannot be set without its mail, and can be at once when the server is back', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  service.smtp.behave({ refuse: ['rcpt', 550] })
  isProblem(t, await setEmail(service, ada.accessToken, 'ada@example.com'), 'email_delivery_failed')
  service.smtp.behave({})
  t.equal((await setEmail(service, ada.accessToken, 'ada@example.com')).status, 202)
  t.strictSame(service.smtp.mails.at(-1)?.to, ['ada@example.com'])
})

t.test('a server that hangs is given ten seconds, in which everybody else goes on', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service, 'ada')
  const grace = await enrolByEmail(service, 'grace')
  const mfaToken = await login(service, 'grace')
  service.smtp.behave({ hang: 'data' })
  const startedAt = performance.now()
  let over = false
  const waiting = service.post('/2fa/email', undefined, mfaToken).finally(() => {
    over = true
  })

  for (let time = 0; time < 3; time += 1) {
    const { status, body } = await service.post('/login', { username: 'ada', password: PASSWORD })
    t.match({ status, body }, { status: 200, body: { methods: ['totp', 'recovery_code'] } })
    const verified = await service.post('/2fa/verify', { code: nextCode(service, ada) }, body.mfa_token)
    t.equal(verified.status, 200)
    t.notOk(over, 'without waiting for the mail')
  }
  const again = await service.post('/2fa/email', undefined, mfaToken)
  t.not(again.status, 202, 'no second mail meanwhile')
  const answer = { code: grace.recoveryCodes[0], method: 'recovery_code' }
  const other = await login(service, 'grace')
  t.equal((await service.post('/2fa/verify', answer, other)).status, 200, 'there is another way in')

  const failed = await waiting
  isProblem(t, failed, 'email_delivery_failed')
  t.equal(failed.headers['retry-after'], '60', 'the server has it, and may deliver it')
  const seconds = (performance.now() - startedAt) / 1000
  t.ok(seconds > 9, `${seconds.toFixed(1)} s`)
})

t.test('what changes an account does not wait for its notice', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.smtp.behave({ hang: 'connect' })
  const body = { current_password: PASSWORD, new_password: 'staple in a haystack' }
  t.equal(
    (await service.post('/password/change', body, await accountTokenFor(service, ada.accessToken))).status,
    200,
  )
  t.equal((await service.post('/password/forgot', { username: 'ada' })).status, 202)
  const waiting = await service.db.selectFrom('outbox').select('attempts').execute()
  t.strictSame(waiting, [{ attempts: 0 }, { attempts: 0 }], 'nobody has tried to send anything yet')
  service.smtp.behave({})
  t.equal((await deliver(service)).length, 2)
})

t.test(
  'a service trusts an authority of NODE_EXTRA_CA_CERTS, and sends nothing to a server without a good certificate',
  { skip: !openssl && 'openssl is not installed' },
  async (t) => {
    const { good, wrongName, authorityFile } = makeCertificates(t)
    for (const [tls, expected] of [
      [good, 202],
      [wrongName, 503],
    ] as const) {
      const smtp = await startMailServer(t, { tls, secure: true })
      const service = await startProcess(t, {
        ...(await sharedEnvironment(t)),
        ...mailing({ url: `smtps://localhost:${smtp.port}` }),
        EMAIL_CODES: 'on',
        NODE_EXTRA_CA_CERTS: authorityFile,
      })
      const account = { username: 'ada', password: PASSWORD, email: 'ada@example.com' }
      const { body } = await service.post('/register', account)
      t.equal((await service.post('/2fa/email', undefined, body.mfa_token)).status, expected)
      t.equal(smtp.mails.length, expected === 202 ? 1 : 0)
      if (expected === 202) t.match(codeIn(smtp.mails[0]), /^\d{6}$/)
      await service.stop()
    }
  },
)
