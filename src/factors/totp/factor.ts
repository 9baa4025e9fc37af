import { invalidCode, notEnrolled } from '../../errors.ts'
import { texts } from '../../texts/texts.ts'
import { answererId } from '../bound-to.ts'
import { codeAnswer } from '../code-answer.ts'
import { type Factor, least } from '../factor.ts'
import { confirmPending, spendCode, TOTP_ASSURANCE } from './confirm.ts'
import { totpSecrets } from './portable.ts'
import { confirmRoutes, setupRoutes } from './routes.ts'
import { EnrolmentSchema } from './schemas.ts'
import {
  activeTotpSecrets,
  deleteTotpFactors,
  findTotpFactors,
  renameTotpFactor,
  sinceOf,
  type TotpFactors,
} from './store.ts'
import { totpTables } from './tables.ts'

/** Authenticator apps: time-based codes (RFC 6238). */
export const totp: Factor<{ code: string }, unknown, 'active', TotpFactors> = {
  method: 'totp',
  acr: TOTP_ASSURANCE.acr,
  answer: codeAnswer('totp'),
  schemas: [EnrolmentSchema],
  tables: totpTables,
  routes: { 'mfa-or-account': setupRoutes, account: confirmRoutes },

  facts: (eb, accountId) => ({
    active: eb.exists(
      eb
        .selectFrom('totp_factors')
        .select('id')
        .where('account_id', '=', accountId)
        .where('state', '=', 'active'),
    ),
  }),
  since: (eb, accountId) =>
    eb
      .selectFrom('totp_factors')
      .select(least('confirmed_at').as('since'))
      .where('account_id', '=', accountId)
      .where('state', '=', 'active')
      .$asScalar(),
  state: (_account, { active }) => ({ active, answers: active, enrollable: true }),

  find: ({ clock }, trx, { id }) => findTotpFactors(trx, id, clock.now()),
  async redeem(room, trx, { answer, found }) {
    const factor = await spendCode(room, trx, found, answer.code)
    return factor && { ...TOTP_ASSURANCE, since: factor.confirmedAt ?? room.clock.now() }
  },
  async enrol(room, trx, { account, answer, binding }) {
    const begunBy = answererId(binding)
    if (begunBy === undefined) throw notEnrolled()
    const confirmed = await confirmPending(room, trx, account, { code: answer.code, begunBy })
    return confirmed && { ...TOTP_ASSURANCE, ...confirmed }
  },
  refusal: (_prepared, { serverTime, attemptsLeft }) =>
    invalidCode(serverTime, attemptsLeft, texts.details.invalidAppCode),
  remove: deleteTotpFactors,

  async list(db, { id }) {
    const { active } = await findTotpFactors(db, id, 0)
    return active.map((factor) => {
      const { id, name, lastUsedAt } = factor
      return { id, name, lastUsedAt, createdAt: sinceOf(factor) }
    })
  },
  rename: renameTotpFactor,
  show: async (_db, _account, { active }) => ({ totp: active }),
  activeAmong: async (db, accountIds) =>
    new Set((await activeTotpSecrets(db, accountIds)).map(({ accountId }) => accountId)),
  portable: totpSecrets,
}
