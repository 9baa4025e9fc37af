import { sql } from 'kysely'
import t from 'tap'
import { inTransaction } from '../../src/platform/database.ts'
import { tokenResponse } from '../../src/tokens/token-response.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { RULE_NAMES, type RuleName } from '../helpers/service/invariants.ts'
import {
  type Enrolled,
  enrol,
  PASSWORD,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

/** What runs after every test must be able to fail: each rule is broken here once, as a fault of ours would break it. */

type Break = (service: Service, ada: Enrolled) => Promise<unknown>

const BREAKS: Record<RuleName, Break> = {
  async fileIsSound({ db }) {
    await sql`pragma foreign_keys = off`.execute(db)
    await sql`insert into challenges values ('c', 'nobody', 0, 0, 0, null)`.execute(db)
  },
  levelsFollowFromFactors: ({ db }) => db.updateTable('sessions').set({ amr: 'pwd email mfa' }).execute(),
  activeFactorsHaveSpentACode: ({ db }) =>
    db.updateTable('totp_factors').set({ last_used_step: -1 }).execute(),
  countersAreInBounds: ({ db }) => db.updateTable('challenges').set({ wrong_codes: 6 }).execute(),
  whatIsUsedStaysUsed: ({ db }) => db.updateTable('challenges').set({ consumed_at: null }).execute(),
  async whatIsAcceptedIsSpent({ deps, db }, { id }) {
    const account = await deps.accounts.byId(id)
    const client = { by: 'person' as const, ip: '127.0.0.1', userAgent: '', requestId: '' }
    const facts = { account, method: 'recovery_code' }
    await inTransaction(db, (trx) => deps.trail.record(trx, 'code_accepted', facts, client))
  },
  factorsWereShown: ({ db, clock }) =>
    db
      .updateTable('sessions')
      .set({ auth_time: clock.now() + 1 })
      .execute(),
  async countersAreResetBySuccess(service, ada) {
    for (let i = 0; i < 3; i += 1)
      await service.post('/2fa/step-up', { code: wrongCode(service, ada) }, ada.accessToken)
    await service.db.updateTable('failure_counters').set({ failures: 0 }).execute()
  },
  async nothingIsAcceptedTwice(service, ada) {
    await service.db.updateTable('totp_factors').set({ last_used_step: -1 }).execute()
    const again = await service.post('/2fa/step-up', { code: ada.confirmingCode }, ada.accessToken)
    if (again.status !== 200) throw new Error(again.text)
  },
  tokensHaveTheirSession: (service, ada) => handOut(service, ada, { authTime: 0 }),
  refreshTokensHaveTheirSession: (service, ada) => handOut(service, { ...ada, refreshToken: 'of nobody' }),
  secretsAreNotWrittenDown: async ({ app }) => app.log.info(`somebody's password is ${PASSWORD}`),
}

/** Lets a caller get tokens that the database knows nothing of. */
async function handOut(
  { deps, clock, invariants }: Service,
  { id, refreshToken }: Enrolled,
  { accountToken, ...told }: { authTime?: number; accountToken?: string } = {},
): Promise<void> {
  const [account, [session]] = [await deps.accounts.byId(id), await deps.sessions.list(id)]
  if (!account || !session) throw new Error('ada is gone')
  const grant = {
    account,
    session: { ...session, ...told },
    refreshToken: { token: refreshToken, expiresAt: clock.now() },
  }
  const body = { ...tokenResponse(deps, grant), ...(accountToken && { account_token: accountToken }) }
  invariants.saw({ url: '/token/refresh' }, { status: 200, headers: {}, body, text: JSON.stringify(body) })
}

for (const [name, breakIt] of Object.entries(BREAKS).filter(
  ([name]) => !(onPostgres && name === 'fileIsSound'),
))
  t.test(`${name} is a rule that can be broken`, async (t) => {
    const service = await startService(t, { spared: RULE_NAMES })
    const ada = await enrol(service)
    t.strictSame(await service.invariants.broken(), {}, 'nothing is broken at first')
    await breakIt(service, ada)
    t.hasProp(await service.invariants.broken(), name)
  })

t.test('an account token that is accepted twice breaks a rule', async (t) => {
  const service = await startService(t, { spared: RULE_NAMES })
  const { accountToken } = await enrol(service)
  for (let time = 0; time < 2; time += 1) {
    await service.db.updateTable('accounts').set({ change_count: 0 }).execute()
    t.equal((await service.post('/2fa/recovery-codes', undefined, accountToken)).status, 200)
  }
  t.match((await service.invariants.broken()).nothingIsAcceptedTwice, [
    /^account token .* was accepted twice/,
  ])
})

for (const [missing, shown] of [
  ['password', 'factor_at'],
  ['factor', 'password_at'],
] as const)
  t.test(`an account token breaks a rule where the ${missing} was shown 301 s ago`, async (t) => {
    const service = await startService(t, { spared: RULE_NAMES })
    const ada = await enrol(service)
    service.clock.advance(301)
    await service.db
      .updateTable('sessions')
      .set({ [shown]: service.clock.now() })
      .execute()
    await handOut(service, ada, { accountToken: ada.accountToken })
    const brokenAtFirst = (await service.invariants.broken()).tokensHaveTheirSession
    t.equal(brokenAtFirst, undefined, 'one of 301 s ago breaks none')
    const accountToken = await accountTokenFor(service, ada.accessToken)
    await handOut(service, ada, { accountToken })
    t.match((await service.invariants.broken()).tokensHaveTheirSession, [/^an account token/])
  })

t.test('what breaks a rule is laid to the step of the test that did it', async (t) => {
  const service = await startService(t, { spared: RULE_NAMES })
  const ada = await enrol(service)
  await service.get('/me', ada.accessToken)
  await pause()
  await service.db.updateTable('totp_factors').set({ last_used_step: -1 }).execute()
  await pause()
  await service.post('/2fa/step-up', { code: ada.confirmingCode }, ada.accessToken)
  const here = String.raw`test/faults/invariants\.test\.ts:\d+`
  const broken = await service.invariants.broken()
  t.match(broken.whatIsUsedStaysUsed, [
    new RegExp(
      `totp of ${ada.id} was used, and is not any more, by no request, after GET /me \\(200\\) at ${here}`,
    ),
  ])
  t.match(broken.nothingIsAcceptedTwice, [
    new RegExp(`was accepted twice, by POST /2fa/step-up \\(200\\) at ${here}`),
  ])
})

/** Times are told in whole milliseconds. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 5))
