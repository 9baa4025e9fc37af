// The attack: six digits are a million guesses, and three codes are right at any moment. An attacker with the
// password tries codes in bursts, over new challenges, spellings, addresses and restarts.
import t from 'tap'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { onPostgres } from '../helpers/service/database.ts'
import {
  type Answer,
  enrol,
  login,
  logins,
  nextCode,
  PASSWORD,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

type Secret = { secret: string }

const guess = async (service: Service, ada: Secret, token?: string) =>
  service.post('/2fa/verify', { code: wrongCode(service, ada) }, token ?? (await login(service)))

const verify = async (service: Service, code: string, method = 'totp') =>
  service.post('/2fa/verify', { code, method }, await login(service))

async function guesses(service: Service, ada: Secret, count: number): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const token of await logins(service, count)) answers.push(await guess(service, ada, token))
  return answers
}

/** Holds each request where it locks the account, until so many have come there and thus passed the guard. */
function allAtOnce<T>({ databaseUrl }: Service, count: number, work: () => Promise<T>): Promise<T> {
  let arrived = 0
  const all = Promise.withResolvers<void>()
  const hold = (text: string) => {
    if (!/from "accounts" .*for update$/.test(text)) return
    arrived += 1
    if (arrived === count) all.resolve()
    return all.promise
  }
  return watchingStatements(databaseUrl, hold, work)
}

const pauseOf = ({ headers }: Answer) => Number(headers['retry-after'])

t.test('five wrong codes kill a challenge, even for the right code', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const token = await login(service)
  for (const left of [4, 3, 2, 1, 0]) {
    const answer = await guess(service, ada, token)
    t.equal(outcomeOf(answer), '422 invalid_code')
    t.equal(answer.body.attempts_left, left)
  }
  const right = await service.post('/2fa/verify', { code: nextCode(service, ada) }, token)
  t.equal(outcomeOf(right), '401 invalid_token')
  t.equal((await verify(service, nextCode(service, ada))).status, 200, 'a new challenge is fine')
})

t.test(
  'of a burst of wrong codes at one challenge, five are answered, and each that is looked at counts',
  async (t) => {
    const service = await startService(t, { environment: { DATABASE_POOL_SIZE: '40' } })
    const ada = await enrol(service)
    const token = await login(service)
    const send = () => burst(40, () => guess(service, ada, token))
    const answers = await (onPostgres ? allAtOnce(service, 40, send) : send())
    // The five that had passed the guard by then: how long they took could tell the right one.
    t.strictSame(tally(answers), {
      '422 invalid_code': 5,
      '401 invalid_token': 5,
      '429 too_many_attempts': 30,
    })
    const left = answers.map(({ body }) => body.attempts_left).filter((number) => number !== undefined)
    t.strictSame(left.sort(), [0, 1, 2, 3, 4], 'each try was counted')
  },
)

t.test('of a burst of wrong codes over many challenges, ten are looked at', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const tokens = await logins(service, 40)
  const answers = await burst(40, (index) => guess(service, ada, tokens[index]))
  t.strictSame(tally(answers), { '422 invalid_code': 10, '429 too_many_attempts': 30 })
})

t.test('methods share the five tries of a challenge, and what is no code takes none', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const token = await login(service)
  for (const code of ['12345', '1234567', 'abcdef', '12345a', '½23456', '-'])
    t.equal(outcomeOf(await service.post('/2fa/verify', { code }, token)), '400 validation_failed', code)
  for (const proof of [
    { code: wrongCode(service, ada) },
    { code: wrongCode(service, ada), method: 'totp' },
    { code: wrongCode(service, ada) },
    { code: 'AAAA-AAAA', method: 'recovery_code' },
    { code: '0', method: 'recovery_code' },
  ])
    t.equal(outcomeOf(await service.post('/2fa/verify', proof, token)), '422 invalid_code')
  t.equal(outcomeOf(await guess(service, ada, token)), '401 invalid_token')
})

t.test('neither the tries of a challenge nor those of an account come back with a restart', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const token = await login(service)
  for (let count = 0; count < 4; count += 1) await guess(service, ada, token)
  await guesses(service, ada, 5)
  await service.close()

  const restarted = await startService(t, { databaseUrl: service.databaseUrl, clock: service.clock })
  t.equal((await guess(restarted, ada, token)).body.attempts_left, 0, 'this is the tenth in all')
  t.equal(outcomeOf(await guess(restarted, ada, token)), '401 invalid_token')
  t.equal(outcomeOf(await guess(restarted, ada)), '429 too_many_attempts')
})

t.test('from the tenth wrong code in a row, over all challenges, each brings a longer pause', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.strictSame(tally(await guesses(service, ada, 10)), { '422 invalid_code': 10 })

  for (const pause of [30, 60, 120, 240, 480, 900, 900]) {
    const refused = await guess(service, ada)
    t.equal(outcomeOf(refused), '429 too_many_attempts')
    t.equal(pauseOf(refused), pause)
    service.clock.advance(pause - 1)
    t.equal(pauseOf(await verify(service, nextOf(service, ada))), 1, 'the right code has to wait, too')
    service.clock.advance(1)
    t.equal(outcomeOf(await guess(service, ada)), '422 invalid_code', 'Retry-After was true')
  }
})

/** The code of this moment, without moving the clock. */
const nextOf = (service: Service, { secret }: Secret) => totp(secret, service.clock.now())

t.test('a try during a pause costs nothing: not the challenge, not a longer pause', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await guesses(service, ada, 10)
  const token = await login(service)
  for (let count = 0; count < 20; count += 1)
    t.equal(pauseOf(await guess(service, ada, token)), 30, 'the same pause')
  service.clock.advance(30)
  const right = await service.post('/2fa/verify', { code: nextCode(service, ada) }, token)
  t.equal(right.status, 200)
})

t.test('the hundredth wrong code in a row closes the factor', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await guess(service, ada)
  await service.db.updateTable('failure_counters').set({ failures: 99 }).execute()
  await guess(service, ada)
  service.clock.advance(3 * 365 * 24 * 3600)
  t.equal(outcomeOf(await verify(service, nextCode(service, ada))), '429 too_many_attempts')
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.strictSame(body.methods, ['recovery_code'], 'it is not offered any more')

  const recovered = await verify(service, ada.recoveryCodes[0] ?? '', 'recovery_code')
  t.equal(recovered.status, 200, 'the way out')
  const token = recovered.body.account_token
  const { secret } = (await service.post('/2fa/setup', undefined, token)).body
  const confirmed = await service.post('/2fa/setup/confirm', { code: nextCode(service, { secret }) }, token)
  t.equal(confirmed.status, 200)
  t.equal((await verify(service, nextCode(service, { secret }))).status, 200, 'a new authenticator is open')
})

t.test('a right password does not clear the count of wrong codes, a right code does', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await guesses(service, ada, 9)
  await logins(service, 5)
  t.equal((await verify(service, nextCode(service, ada))).status, 200)
  t.strictSame(tally(await guesses(service, ada, 10)), { '422 invalid_code': 10 }, 'ten again')
  await logins(service, 5)
  t.equal(outcomeOf(await verify(service, nextOf(service, ada))), '429 too_many_attempts')
})

t.test('a pause for one factor leaves recovery codes open, and one of those ends it', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await guesses(service, ada, 10)
  t.equal((await verify(service, ada.recoveryCodes[0] ?? '', 'recovery_code')).status, 200)
  t.equal(outcomeOf(await guess(service, ada)), '422 invalid_code')
})

t.test("one account's wrong codes do not slow another's right ones", async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const grace = await enrol(service, 'grace')
  await guesses(service, ada, 10)
  const right = await service.post(
    '/2fa/verify',
    { code: nextCode(service, grace) },
    await login(service, 'grace'),
  )
  t.equal(right.status, 200)
})
