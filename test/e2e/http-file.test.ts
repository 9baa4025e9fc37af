import t from 'tap'
import { example } from '../helpers/documents/examples.ts'
import { parseHttpFile, sendHttpFileRequest } from '../helpers/documents/http-file.ts'
import { totp } from '../helpers/people/totp.ts'
import { startListening } from '../helpers/service/listening.ts'

t.test('the .http file for editors leads from an account to a second login and out', async (t) => {
  const { issuer, clock } = await startListening(t)
  const { variables, requests } = parseHttpFile(example('keyturn.http', issuer))
  t.ok(requests.length > 10)
  const values: Record<string, string> = { ...variables }
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  const answers: Record<string, any> = {}
  for (const request of requests) {
    if (request.prompt) {
      clock.advance(30)
      values[request.prompt] = totp(answers.setup.secret, clock.now())
    }
    const answer = await sendHttpFileRequest(request, values, answers)
    t.ok(answer.ok, `${request.title}: ${answer.status}`)
    const text = await answer.text()
    if (request.name) answers[request.name] = JSON.parse(text)
  }
  t.equal(answers.verify.recovery_codes.length, 10)
})
