// The attack: giving an address of somebody else to learn, from the answer or its time, whether it has an account.
// (That a name is taken is told: names are chosen, and nobody could choose one otherwise.)
import t from 'tap'
import { enrolWithAddress } from '../helpers/people/mail.ts'
import { withoutRequestId } from '../helpers/requests/burst.ts'
import { mannWhitney } from '../helpers/requests/mann-whitney.ts'
import { PASSWORD, startService } from '../helpers/service/service.ts'

const SAMPLES = 80

/** Chance alone fails the test once in a hundred thousand runs. */
const INDISTINGUISHABLE = 1e-5

t.test(
  'registering takes the same time and answer with an address that is known and one that is not',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { email } = await enrolWithAddress(service)
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
    for (let round = -10; round < SAMPLES; round += 1)
      for (const kind of round % 2 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
        const body = {
          username: `${kind}${round + 10}`,
          password: PASSWORD,
          email: kind === 'known' ? email : `nobody${round + 10}@example.com`,
        }
        const startedAt = performance.now()
        const answer = await service.post('/register', body)
        const ms = performance.now() - startedAt
        t.equal(answer.status, 201)
        t.strictSame(Object.keys(answer.body.user), [
          'id',
          'username',
          'email',
          'email_verified',
          'two_factor_enabled',
          'roles',
          'created_at',
        ])
        if (round >= 0) times[kind].push(ms)
      }
    const p = mannWhitney(times.known, times.unknown)
    t.ok(p > INDISTINGUISHABLE, `p = ${p.toExponential(1)}`)
  },
)

t.test('a name that is taken costs no hash, and is told in any case in the same words', async (t) => {
  const service = await startService(t)
  const body = { username: 'ada', password: PASSWORD }
  await service.post('/register', body)
  const answers = []
  for (const username of ['ada', 'ADA', 'Ada'])
    answers.push(await service.post('/register', { ...body, username }))
  const [first, ...others] = answers.map(withoutRequestId)
  t.match(first, { code: 'username_taken' })
  for (const other of others) t.strictSame(other, first)
})
