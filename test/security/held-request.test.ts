// The attack: a request is begun while its session lives, and its body is held back until the session has ended. What
// the guard found when the head of the request came is not what holds when it is done.
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import type { Instrument } from '../../src/operator/monitoring/instrument.ts'
import { outcomeOf } from '../helpers/burst.ts'
import { startMailingService } from '../helpers/mail.ts'
import { type Answer, enrol, PASSWORD, register, type Service } from '../helpers/service.ts'
import { signedInBy, signIn } from '../helpers/sessions.ts'
import { totp } from '../helpers/totp.ts'

const OPTIONAL = { MFA_POLICY: 'optional' }

/** Holds requests that ask for it when their guard has let them pass, as one does whose body is not there yet. */
function holdBodies() {
  const gate = Promise.withResolvers<void>()
  let passed = () => {}
  const instrument: Instrument = {
    plugin: fp(async (app) => {
      app.addHook('preParsing', async ({ headers }) => {
        if (!headers['x-held']) return
        passed()
        await gate.promise
      })
    }),
  }
  return {
    instrument,
    /** Sends a request, and waits until its guard has let it pass or it has been answered. */
    async begin(send: (held: { headers: Record<string, string> }) => Promise<Answer>) {
      const reached = new Promise<void>((resolve) => {
        passed = resolve
      })
      const answer = send({ headers: { 'x-held': 'yes' } })
      await Promise.race([reached, answer])
      return { answer }
    },
    release: () => gate.resolve(),
  }
}

type Held = { headers: Record<string, string> }

/** What changes an account by an access token, with a body that is right. */
const CHANGES: Record<string, (service: Service, token: string, held: Held) => Promise<Answer>> = {
  'POST /2fa/setup': (service, token, held) => service.post('/2fa/setup', undefined, token, held),
  'POST /2fa/recovery-codes': (service, token, held) =>
    service.post('/2fa/recovery-codes', undefined, token, held),
  'DELETE /2fa': (service, token, held) => service.delete('/2fa', token, held),
  'PUT /me/email': (service, token, held) =>
    service.put('/me/email', { email: 'eve@example.com' }, token, held),
  'POST /me/email/verify': (service, token, held) =>
    service.post('/me/email/verify', { code: '000000' }, token, held),
  'POST /password/change': (service, token, held) =>
    service.post(
      '/password/change',
      { current_password: PASSWORD, new_password: 'staple in a haystack' },
      token,
      held,
    ),
  'DELETE /sessions': (service, token, held) => service.delete('/sessions', token, held),
  'DELETE /sessions/{id}': async (service, token, held) => {
    const { body } = await service.get('/sessions', token)
    const other = body.sessions.find(({ current }: { current: boolean }) => !current)
    return service.delete(`/sessions/${other.id}`, token, held)
  },
  'DELETE /me': (service, token, held) => service.delete('/me', token, held),
}

/** All rows that are an account's, but for what tells of it. */
async function stateOf({ db }: Service) {
  const state: Record<string, unknown> = {}
  for (const table of ['accounts', 'totp_factors', 'recovery_codes', 'sessions', 'email_changes'] as const)
    state[table] = await db.selectFrom(table).selectAll().execute()
  return state
}

async function startHolding(t: Test) {
  const bodies = holdBodies()
  const service = await startMailingService(t, { environment: OPTIONAL, instruments: [bodies.instrument] })
  return { bodies, service }
}

for (const [name, change] of Object.entries(CHANGES))
  t.test(`${name}: nothing is done for a session that was ended meanwhile`, async (t) => {
    const { bodies, service } = await startHolding(t)
    const ada = await enrol(service)
    const theirs = await signIn(service, ada)
    const own = await signIn(service, ada)
    const { answer } = await bodies.begin((held) => change(service, theirs.accessToken, held))
    t.equal((await service.delete('/sessions', own.accessToken)).status, 204)
    const before = await stateOf(service)
    bodies.release()
    t.equal(outcomeOf(await answer), '401 invalid_token')
    t.strictSame(await stateOf(service), before)
  })

t.test(
  'who knew the password alone gets no recovery codes of the factor that the owner sets up',
  async (t) => {
    const { bodies, service } = await startHolding(t)
    await register(service)
    const logIn = async () =>
      signedInBy(await service.post('/login', { username: 'ada', password: PASSWORD }))
    const theirs = await logIn()
    const own = await logIn()
    const { answer } = await bodies.begin((held) =>
      service.post('/2fa/recovery-codes', undefined, theirs.accessToken, held),
    )
    const { secret } = (await service.post('/2fa/setup', undefined, own.accessToken)).body
    const code = totp(secret, service.clock.now())
    const confirmed = await service.post('/2fa/setup/confirm', { code }, own.accessToken)
    t.equal(confirmed.body.recovery_codes.length, 10)
    bodies.release()
    t.equal(outcomeOf(await answer), '401 invalid_token')

    const { mfa_token } = (await service.post('/login', { username: 'ada', password: PASSWORD })).body
    const recovery = { code: confirmed.body.recovery_codes[0], method: 'recovery_code' }
    t.equal((await service.post('/2fa/verify', recovery, mfa_token)).status, 200, "the owner's are good")
  },
)
