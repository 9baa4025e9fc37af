import { Type } from 'typebox'
import { CLOSED, NullableTime } from '../../http/schemas.ts'
import { rfc3339 } from '../../platform/clock.ts'
import { codeAnswer } from '../code-answer.ts'
import type { Factor } from '../factor.ts'
import { hashCode } from './codes.ts'
import { recoveryCodeRoutes } from './routes.ts'
import { deleteRecoveryCodes, isGood, recoveryCodeStock, redeemRecoveryCode } from './store.ts'
import { recoveryCodeTables } from './tables.ts'

const LetterCode = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'Case, blanks and dashes are ignored',
})

/** When this many unused codes or fewer are left, the owner is told to make new ones. */
const LOW_STOCK = 2

/** Codes for when the phone is lost. They stand in for another factor and are not a factor by themselves. */
export const recoveryCodes: Factor<{ code: string }, unknown, 'left' | 'made'> = {
  method: 'recovery_code',
  acr: 'aal2',
  standsIn: true,
  unguessable: true,
  answer: codeAnswer('recovery_code', LetterCode),
  tables: recoveryCodeTables,
  routes: { account: recoveryCodeRoutes },

  facts(eb, accountId) {
    const codes = eb.selectFrom('recovery_codes').select('id').where('account_id', '=', accountId)
    return {
      made: eb.exists(codes),
      left: eb.exists(codes.where(isGood())),
    }
  },
  state: (_account, { left }) => ({ active: false, answers: left, enrollable: false }),

  async redeem({ clock, keyedHash }, trx, { account: { id }, answer }) {
    const right = await redeemRecoveryCode(trx, id, hashCode(keyedHash, id, answer.code), clock.now())
    return right ? { amr: ['recovery'], acr: 'aal2' } : null
  },
  async accepted({ trail }, trx, account, _facts, caller) {
    const { remaining } = await recoveryCodeStock(trx, account.id)
    const event = remaining <= LOW_STOCK ? 'recovery_codes_low' : 'recovery_code_used'
    await trail.record(trx, event, { account }, caller)
    return false
  },
  remove: deleteRecoveryCodes,

  description: {
    member: 'recovery_codes',
    schema: Type.Object({ remaining: Type.Integer(), generated_at: NullableTime }, CLOSED),
  },
  async describe({ db }, account) {
    const { remaining, generatedAt } = await recoveryCodeStock(db, account.id)
    return { remaining, generated_at: generatedAt === null ? null : rfc3339(generatedAt) }
  },
  show: async (db, account) => ({ recovery_codes: (await recoveryCodeStock(db, account.id)).remaining }),
  activeAmong: async () => new Set(),
}
