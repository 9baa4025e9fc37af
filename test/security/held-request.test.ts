// The attack: a request is begun while its session lives and its account token is good, and its body is held back until
// the session has ended or the token was used. What the guard found when the head of the request came is not what holds
// when it is done.
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { renameAccount } from '../../src/accounts/rename.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import type { Instrument } from '../../src/monitoring/instrument.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { passwordAlone } from '../../src/tokens/assurance.ts'
import { MORE_SCENARIOS, SCENARIOS, type Scenario, send } from '../helpers/people/scenarios.ts'
import { claimsOf, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import {
  type Answer,
  enrol,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'

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

const scenariosOf = (...routes: string[]): Record<string, Pick<Scenario, 'prepare' | 'environment'>> =>
  Object.fromEntries(
    routes.map((route) => [route, { ...SCENARIOS, ...MORE_SCENARIOS }[route] as Scenario] as const),
  )

/** What changes an account by an account token. */
const ACCOUNT_CHANGES = scenariosOf(
  'POST /2fa/setup by an account token',
  'POST /2fa/setup/confirm',
  'POST /2fa/recovery-codes',
  'DELETE /2fa',
  'PUT /2fa/email',
  'PUT /me/email',
  'POST /password/change',
  'DELETE /me',
)

/** The same, and what changes something by an access token; a logout does no harm, whenever it comes. */
const CHANGES: Record<string, Pick<Scenario, 'prepare' | 'environment'>> = {
  ...ACCOUNT_CHANGES,
  ...scenariosOf(
    'POST /2fa/step-up',
    'POST /2fa/step-up with the password',
    'POST /2fa/step-up with the password alone',
    'POST /me/email/verify',
    'DELETE /sessions',
  ),
  'DELETE /sessions/:id of another': {
    async prepare(service, name) {
      const account = await enrol(service, name)
      const { sessionId } = await signIn(service, account)
      return { token: account.accessToken, url: `/sessions/${sessionId}` }
    },
  },
}

/** All rows that are an account's, but for what tells of it or counts tries. */
async function stateOf({ db }: Service) {
  const state: Record<string, unknown> = {}
  for (const table of [
    'accounts',
    'totp_factors',
    'mailed_code_factors',
    'recovery_codes',
    'sessions',
    'email_changes',
  ] as const) {
    const rows = await db.selectFrom(table).selectAll().execute()
    state[table] = rows.map((row) => ({ ...row, step_up_attempts: undefined }))
  }
  return state
}

async function ownerOf({ deps }: Service, token = ''): Promise<Account> {
  return (await deps.accounts.byId(claimsOf(token).sub)) as Account
}

/** One more session of the token's account, which must go on. */
async function openAnother(service: Service, token?: string): Promise<void> {
  const { clock, db, deps } = service
  const account = await ownerOf(service, token)
  await inTransaction(db, (trx) =>
    deps.sessions.open(trx, account, passwordAlone(clock.now()), operatorCaller()),
  )
}

/** As a logout ends it. */
async function endSession(service: Service, token = ''): Promise<void> {
  const { db, deps } = service
  const account = await ownerOf(service, token)
  const ended = await inTransaction(db, (trx) =>
    deps.sessions.end(trx, account, claimsOf(token).sid, operatorCaller()),
  )
  if (!ended) throw new Error('the session had ended before')
}

/** As another change uses an account token up. */
async function useUp(service: Service, token?: string): Promise<void> {
  const account = await ownerOf(service, token)
  await inTransaction(service.db, (trx) => service.deps.accounts.countChange(trx, account))
}

async function startHolding(t: Test, environment: Record<string, string> = {}) {
  const bodies = holdBodies()
  const service = await startService(t, { mail: true, environment, instruments: [bodies.instrument] })
  return { bodies, service }
}

for (const [route, { environment, prepare }] of Object.entries(CHANGES))
  t.test(`${route}: nothing is done for a session that was ended meanwhile`, async (t) => {
    const { bodies, service } = await startHolding(t, environment)
    const request = await prepare(service, 'ada')
    await openAnother(service, request.token)
    const { answer } = await bodies.begin(() => send(service, route, request))
    await endSession(service, request.token)
    const before = await stateOf(service)
    bodies.release()
    t.equal(outcomeOf(await answer), '401 invalid_token')
    t.strictSame(await stateOf(service), before)
  })

for (const [route, { environment, prepare }] of Object.entries(ACCOUNT_CHANGES))
  t.test(`${route}: nothing is done for an account token that was used meanwhile`, async (t) => {
    const { bodies, service } = await startHolding(t, environment)
    const request = await prepare(service, 'ada')
    const { answer } = await bodies.begin(() => send(service, route, request))
    await useUp(service, request.token)
    const before = await stateOf(service)
    bodies.release()
    t.equal(outcomeOf(await answer), '401 invalid_token')
    t.strictSame(await stateOf(service), before)
  })

t.test(
  'who knew the password alone gets no recovery codes of the factor that the owner sets up',
  async (t) => {
    const { bodies, service } = await startHolding(t, { MFA_POLICY: 'optional' })
    await register(service)
    const logIn = async () =>
      signedInBy(await service.post('/login', { username: 'ada', password: PASSWORD }))
    const theirs = await logIn()
    const own = await logIn()
    const { answer } = await bodies.begin(() =>
      service.post('/2fa/recovery-codes', undefined, theirs.accountToken),
    )
    const { secret } = (await service.post('/2fa/setup', undefined, own.accountToken)).body
    const code = totp(secret, service.clock.now())
    const confirmed = await service.post('/2fa/setup/confirm', { code }, own.accountToken)
    t.equal(confirmed.body.recovery_codes.length, 10)
    bodies.release()
    t.equal(outcomeOf(await answer), '401 invalid_token')

    const { mfa_token } = (await service.post('/login', { username: 'ada', password: PASSWORD })).body
    const recovery = { code: confirmed.body.recovery_codes[0], method: 'recovery_code' }
    t.equal((await service.post('/2fa/verify', recovery, mfa_token)).status, 200, "the owner's are good")
  },
)

t.test('a step-up that was begun before a change brings no account token after it', async (t) => {
  const { bodies, service } = await startHolding(t)
  const ada = await enrol(service)
  service.clock.advance(30)
  const code = totp(ada.secret, service.clock.now())
  const { answer } = await bodies.begin(() => service.post('/2fa/step-up', { code }, ada.accessToken))
  t.equal((await service.post('/2fa/recovery-codes', undefined, ada.accountToken)).status, 200)
  bodies.release()
  const { status, body } = await answer
  t.equal(status, 200)
  t.notOk('account_token' in body, 'the change has voided the password that the session had shown')
})

t.test('the password of an account that takes the old name does not count for the renamed one', async (t) => {
  const { bodies, service } = await startHolding(t)
  const ada = await enrol(service)
  service.clock.advance(400)
  const password = 'the password of a thief'
  const body = { code: totp(ada.secret, service.clock.now()), password }
  const { answer } = await bodies.begin(() => service.post('/2fa/step-up', body, ada.accessToken))
  const account = (await service.deps.accounts.byId(ada.id)) as Account
  await renameAccount(service.deps, account, 'ada.lovelace', operatorCaller())
  t.equal((await service.post('/register', { username: 'ada', password })).status, 201)
  bodies.release()
  t.equal(outcomeOf(await answer), '401 invalid_credentials')
})

t.test('an account that takes the name while a password is checked does not answer for it', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(400)
  const { accounts } = service.deps
  const { usernameOf } = accounts
  const password = 'the password of a thief'
  accounts.usernameOf = async (name) => {
    accounts.usernameOf = usernameOf
    await renameAccount(
      service.deps,
      (await accounts.byId(ada.id)) as Account,
      'ada.lovelace',
      operatorCaller(),
    )
    await service.post('/register', { username: 'ada', password })
    return usernameOf(name)
  }
  const body = { code: totp(ada.secret, service.clock.now()), password }
  t.equal(outcomeOf(await service.post('/2fa/step-up', body, ada.accessToken)), '401 invalid_credentials')
  t.equal((await accounts.byId(ada.id))?.username, 'ada.lovelace', 'it was renamed meanwhile')
})
