// The fault: there is no mail server where there should be one, or it is slow (E-15; what it refuses or leaves hanging is
// in test/mail). Whoever waits for a mail is told, the log says why, and nobody else notices.
import t from 'tap'
import { freePort } from '../helpers/free-port.ts'
import {
  answerByEmail,
  enrolByEmail,
  mailedCode,
  mailing,
  registerWithEmail,
  startMailingService,
} from '../helpers/mail.ts'
import { isProblem } from '../helpers/problems.ts'
import { enrol, login, nextCode, startService } from '../helpers/service.ts'

const NOBODY = {
  'nobody listens': async () => `smtp://127.0.0.1:${await freePort()}`,
  'no name like that': async () => 'smtp://mail.invalid?ignoreTLS=true',
}

for (const [name, url] of Object.entries(NOBODY))
  t.test(`where ${name}, codes by mail are not to be had, and all else is`, async (t) => {
    const environment = { ...mailing({ url: await url() }), EMAIL_CODES: 'on' }
    const service = await startService(t, { environment })
    const { mfaToken } = await registerWithEmail(service, 'grace')
    const answer = await service.post('/2fa/email', undefined, mfaToken)
    isProblem(t, answer, 'email_delivery_failed')
    const lines = service.logLines.map((line) => JSON.parse(line))
    const [line] = lines.filter(({ level }) => level === 'error')
    t.match(line, {
      request_id: answer.body.request_id,
      err: { message: /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/ },
    })
    t.strictSame(await service.db.selectFrom('email_codes').selectAll().execute(), [])

    const ada = await enrol(service)
    const code = nextCode(service, ada)
    t.equal((await service.post('/2fa/verify', { code }, await login(service))).status, 200)
  })

t.test('the life of a code counts from when it was made, however slow its mail is', async (t) => {
  const service = await startMailingService(t, { environment: { MFA_TOKEN_TTL: '900' } })
  await enrolByEmail(service)
  service.clock.advance(60)
  const mfaToken = await login(service)
  service.smtp.behave({ slowMs: 200 })
  const sending = mailedCode(service, mfaToken)
  while (
    (await service.db.selectFrom('email_codes').selectAll().where('used_at', 'is', null).execute()).length ===
    0
  )
    await new Promise((resolve) => setTimeout(resolve, 5))
  service.clock.advance(590)
  const code = await sending
  service.clock.advance(10)
  isProblem(t, await answerByEmail(service, code, mfaToken), 'invalid_code')
})
