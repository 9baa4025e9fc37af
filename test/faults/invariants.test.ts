import { sql } from 'kysely'
import t from 'tap'
import { onPostgres } from '../helpers/database.ts'
import { RULE_NAMES, type RuleName } from '../helpers/invariants.ts'
import { type Enrolled, enrol, PASSWORD, type Service, startService, wrongCode } from '../helpers/service.ts'

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
    const client = { ip: '127.0.0.1', userAgent: '', requestId: '' }
    const facts = { account, method: 'recovery_code' }
    await db.transaction().execute((trx) => deps.trail.record(trx, 'code_accepted', facts, client))
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
  told: { authTime?: number } = {},
): Promise<void> {
  const [account, [session]] = [await deps.accounts.byId(id), await deps.sessions.list(id)]
  if (!account || !session) throw new Error('ada is gone')
  const body = deps.respondWithTokens({
    account,
    session: { ...session, ...told },
    refreshToken: { token: refreshToken, expiresAt: clock.now() },
  })
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
