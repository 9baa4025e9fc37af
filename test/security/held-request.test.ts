// The attack: a request is begun while its session lives, and its body is held back until the session has ended. What
// the guard found when the head of the request came is not what holds when it is done.
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import type { Instrument } from '../../src/operator/monitoring/instrument.ts'
import { operatorClient } from '../../src/operator/operator-client.ts'
import { outcomeOf } from '../helpers/burst.ts'
import { startMailingService } from '../helpers/mail.ts'
import { SCENARIOS, type Scenario, send } from '../helpers/scenarios.ts'
import { type Answer, enrol, PASSWORD, register, type Service } from '../helpers/service.ts'
import { claimsOf, signedInBy, signIn } from '../helpers/sessions.ts'
import { totp } from '../helpers/totp.ts'

const OPTIONAL = { MFA_POLICY: 'optional' }

/** Holds a request that its guard has let pass, as one is held whose body is not there yet. */
function holdBodies() {
  const gate = Promise.withResolvers<void>()
  let passed: (() => void) | null = null
  const instrument: Instrument = {
    plugin: fp(async (app) => {
      app.addHook('preParsing', async () => {
        if (!passed) return
        passed()
        passed = null
        await gate.promise
      })
    }),
  }
  return {
    instrument,
    /** Sends a request, and waits until its guard has let it pass or it has been answered. */
    async begin(send: () => Promise<Answer>) {
      const reached = new Promise<void>((resolve) => {
        passed = resolve
      })
      const answer = send()
      await Promise.race([reached, answer])
      return { answer }
    },
    release: () => gate.resolve(),
  }
}

/** What changes an account by an access token; a logout does no harm, whenever it comes. */
const BY_SCENARIO = [
  'POST /2fa/setup/confirm',
  'POST /2fa/step-up',
  'POST /2fa/recovery-codes',
  'DELETE /2fa',
  'PUT /me/email',
  'POST /me/email/verify',
  'POST /password/change',
  'DELETE /sessions',
  'DELETE /me',
]

const CHANGES: Record<string, Pick<Scenario, 'prepare'>> = {
  ...Object.fromEntries(BY_SCENARIO.map((route) => [route, SCENARIOS[route] as Scenario])),
  'POST /2fa/setup by a session': {
    prepare: async (service, name) => ({ token: (await enrol(service, name)).accessToken }),
  },
  'DELETE /sessions/:id of another': {
    async prepare(service, name) {
      const account = await enrol(service, name)
      const { sessionId } = await signIn(service, account)
      return { token: account.accessToken, url: `/sessions/${sessionId}` }
    },
  },
}

/** All rows that are an account's, but for what tells of it. */
async function stateOf({ db }: Service) {
  const state: Record<string, unknown> = {}
  for (const table of ['accounts', 'totp_factors', 'recovery_codes', 'sessions', 'email_changes'] as const)
    state[table] = await db.selectFrom(table).selectAll().execute()
  return state
}

/** One more session of the token's account, which must go on. */
async function openAnother({ deps, db }: Service, token = ''): Promise<void> {
  const account = (await deps.accounts.byId(claimsOf(token).sub)) as Account
  await db.transaction().execute((trx) => deps.sessions.open(trx, account, ['pwd'], operatorClient()))
}

async function startHolding(t: Test) {
  const bodies = holdBodies()
  const service = await startMailingService(t, { environment: OPTIONAL, instruments: [bodies.instrument] })
  return { bodies, service }
}

for (const [route, { prepare }] of Object.entries(CHANGES))
  t.test(`${route}: nothing is done for a session that was ended meanwhile`, async (t) => {
    const { bodies, service } = await startHolding(t)
    const request = await prepare(service, 'ada')
    await openAnother(service, request.token)
    const { answer } = await bodies.begin(() => send(service, route, request))
    t.equal((await service.post('/logout', undefined, request.token)).status, 204)
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
    const { answer } = await bodies.begin(() =>
      service.post('/2fa/recovery-codes', undefined, theirs.accessToken),
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
