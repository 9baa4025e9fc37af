// The attack: asking for a reset of one name after another, to learn from the answer or from its time who has an
// account here, or who has proven an address.
import t from 'tap'
import { enrolByEmail, registerWithEmail } from '../helpers/people/mail.ts'
import { disableAccount } from '../helpers/people/sessions.ts'
import { withoutRequestId } from '../helpers/requests/burst.ts'
import { mannWhitney } from '../helpers/requests/mann-whitney.ts'
import { type Answer, register, type Service, startService } from '../helpers/service/service.ts'

const SAMPLES = 80

/** Chance alone fails the test once in a hundred thousand runs. */
const INDISTINGUISHABLE = 1e-5

const NAMES = {
  'an account with a proven address': 'proven',
  'an account with an unproven address': 'unproven',
  'an account without an address': 'without',
  'a disabled account': 'disabled',
  'an unknown name': 'nobody',
  'a name that cannot be': 'no such name!',
}

async function populated(t: Parameters<typeof startService>[0]) {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service, 'proven')
  await registerWithEmail(service, 'unproven')
  await register(service, 'without')
  const { id } = await enrolByEmail(service, 'disabled')
  await disableAccount(service, id)
  return service
}

const forget = (service: Service, username: string): Promise<Answer> =>
  service.post('/password/forgot', { username })

t.test('the answer is the same for every name', async (t) => {
  const service = await populated(t)
  const headersOf = ({ headers }: Answer) => {
    const { 'x-request-id': _, date: __, ...rest } = headers
    return rest
  }
  const reference = await forget(service, 'nobody')
  t.equal(reference.status, 202)
  t.equal(reference.text, '')
  for (const [name, username] of Object.entries(NAMES)) {
    const answer = await forget(service, username)
    t.equal(answer.status, 202, name)
    t.equal(answer.text, '', name)
    t.strictSame(headersOf(answer), headersOf(reference), name)
  }
})

t.test('the answer takes the same time for every name', async (t) => {
  const service = await populated(t)
  const times: Record<string, number[]> = {}
  for (let round = -10; round < SAMPLES; round += 1)
    for (const [name, username] of Object.entries(NAMES).sort(() => Math.random() - 0.5)) {
      const startedAt = performance.now()
      await forget(service, username)
      if (round >= 0) times[name] = [...(times[name] ?? []), performance.now() - startedAt]
    }
  const { 'an unknown name': reference = [], ...others } = times
  for (const [name, sample] of Object.entries(others)) {
    const p = mannWhitney(sample, reference)
    t.ok(p > INDISTINGUISHABLE, `${name}: p = ${p.toExponential(1)}`)
  }
})

t.test('a refused reset does not tell whose token it was', async (t) => {
  const service = await populated(t)
  const answers: Answer[] = []
  for (const token of ['A'.repeat(43), 'B'.repeat(43), 'short'])
    answers.push(await service.post('/password/reset', { token, new_password: 'staple in a haystack' }))
  const [reference, ...others] = answers.map(withoutRequestId)
  for (const other of others) t.strictSame(other, reference)
})
