import { Type } from 'typebox'
import { CLOSED, NullableTime } from '../../http/schemas.ts'
import { rfc3339 } from '../../platform/clock.ts'
import { codeAnswer } from '../code-answer.ts'
import type { Factor } from '../factor.ts'
import { confirmPending, spendCode, TOTP_ASSURANCE } from './confirm.ts'
import { totpSecrets } from './portable.ts'
import { confirmRoutes, setupRoutes } from './routes.ts'
import { EnrolmentSchema } from './schemas.ts'
import { activeTotpSecrets, deleteTotpFactors, totpConfirmedAt } from './store.ts'
import { totpTables } from './tables.ts'

/** Authenticator apps: time-based codes (RFC 6238). */
export const totp: Factor<{ code: string }, unknown, 'active'> = {
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
      .select('confirmed_at')
      .where('account_id', '=', accountId)
      .where('state', '=', 'active')
      .$asScalar(),
  state: (_account, { active }) => ({ active, answers: active, enrollable: true }),

  redeem: async (room, trx, { account, answer }) =>
    (await spendCode(room, trx, account, answer.code)) ? TOTP_ASSURANCE : null,
  async enrol(room, trx, { account, answer }) {
    const confirmed = await confirmPending(room, trx, account, answer.code)
    return confirmed && { ...TOTP_ASSURANCE, ...confirmed }
  },
  remove: deleteTotpFactors,

  description: {
    member: 'totp',
    schema: Type.Object({ active: Type.Boolean(), confirmed_at: NullableTime }, CLOSED),
  },
  async describe(db, account, { state }) {
    const confirmedAt = await totpConfirmedAt(db, account.id)
    return { active: state.active, confirmed_at: confirmedAt ? rfc3339(confirmedAt) : null }
  },
  show: async (_db, _account, { active }) => ({ totp: active }),
  activeAmong: async (db, accountIds) =>
    new Set((await activeTotpSecrets(db, accountIds)).map(({ accountId }) => accountId)),
  portable: totpSecrets,
}
