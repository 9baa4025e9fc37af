// The fault: there is no mail server where there should be one, or it is slow (what it refuses or leaves hanging is
// in test/mail). Whoever waits for a mail is told, the log says why, and nobody else notices.
import t from 'tap'
import {
  answerByEmail,
  enrolByEmail,
  mailedCode,
  mailing,
  registerWithEmail,
} from '../helpers/people/mail.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, login, nextCode, startService } from '../helpers/service/service.ts'

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
  const service = await startService(t, { mail: true, environment: { MFA_TOKEN_TTL: '900' } })
  await enrolByEmail(service)
  service.clock.advance(60)
  const mfaToken = await login(service)
  const held = Promise.withResolvers<void>()
  service.smtp.behave({ after: held.promise })
  const sending = mailedCode(service, mfaToken)
  const unused = service.db.selectFrom('email_codes').selectAll().where('used_at', 'is', null)
  await eventually('it is made', async () => (await unused.execute()).length > 0)
  service.clock.advance(590)
  held.resolve()
  const code = await sending
  service.clock.advance(10)
  isProblem(t, await answerByEmail(service, code, mfaToken), 'invalid_code')
})
