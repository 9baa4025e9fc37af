import { emailUnavailable } from '../../mail/problems.ts'
import { codeAnswer } from '../code-answer.ts'
import type { Factor } from '../factor.ts'
import { mailedCodeRoutes, switchRoutes } from './routes.ts'
import { hashCode, isOffered, type MailedCodeFact } from './send-code.ts'
import {
  describeMailedCodes,
  dropMailedCodes,
  enrolledAmong,
  enrolMailedCodes,
  noteMailedCodeUse,
  noteMailedPassword,
  trustMailbox,
  useEmailCode,
} from './store.ts'
import { mailedCodeTables } from './tables.ts'

/** Six digits mailed to the address of the account, where `EMAIL_CODES` is on. */
export const mailedCodes: Factor<{ code: string }, unknown, MailedCodeFact> = {
  method: 'email',
  // NIST SP 800-63B-4 section 3.1.3.1 does not count email as a second factor, so neither does this.
  acr: 'aal1',
  isMailbox: true,
  answer: codeAnswer('email'),
  tables: mailedCodeTables,
  routes: { mfa: mailedCodeRoutes, account: switchRoutes },

  facts(eb, accountId) {
    const factor = eb
      .selectFrom('mailed_code_factors')
      .select('account_id')
      .where('account_id', '=', accountId)
    return {
      active: eb.exists(factor.where('enrolled_at', 'is not', null)),
      passwordByMail: eb.exists(factor.where('password_by_mail_at', 'is not', null)),
    }
  },
  since: (eb, accountId) =>
    eb
      .selectFrom('mailed_code_factors')
      .select('enrolled_at')
      .where('account_id', '=', accountId)
      .$asScalar(),
  state: (account, facts, parts) => ({
    active: facts.active,
    answers: isOffered(parts, account, facts, true),
    enrollable: isOffered(parts, account, facts, false),
  }),

  async redeem(room, trx, { account, facts, enrolled, answer, binding }) {
    if (!isOffered(room, account, facts, enrolled) || binding.to !== 'challenge') throw emailUnavailable()
    const { id } = binding.challenge
    const codeHash = hashCode(room.keyedHash, id, account.email ?? '', answer.code)
    const right = await useEmailCode(trx, id, codeHash, room.clock.now())
    return right ? { amr: ['email'], acr: 'aal1' } : null
  },
  /** The first right code of an account without a factor proves the address, and makes the mailbox its factor. */
  async accepted({ accounts, clock, trail }, trx, account, { active }, caller) {
    if (!active) {
      await enrolMailedCodes(trx, account.id, clock.now())
      await accounts.proveAddress(trx, account.id)
      const proven = { ...account, emailVerified: true }
      await trail.record(trx, 'factor_enrolled', { account: proven, method: 'email' }, caller)
    }
    await noteMailedCodeUse(trx, account.id, clock.now())
    return !active
  },
  async otherAccepted(_room, trx, account, { passwordByMail }) {
    if (passwordByMail) await trustMailbox(trx, account.id)
  },
  remove: dropMailedCodes,
  /** Wrong guesses may have closed codes by mail. Proving the address again enrols them again. */
  async addressProven({ attempts, trail }, trx, account, caller) {
    const closed = await attempts.closed(trx, account.id)
    if (!closed.includes('email') || !(await enrolledAmong(trx, [account.id])).has(account.id)) return
    await attempts.clear(trx, account.id, 'email')
    await trail.record(trx, 'factor_enrolled', { account, method: 'email' }, caller)
  },
  passwordByMail: ({ clock }, trx, accountId) => noteMailedPassword(trx, accountId, clock.now()),

  list: async (db, { id }, { active }) => (active ? [await describeMailedCodes(db, id)] : []),
  show: async (_db, _account, { active }) => ({ email_codes: active }),
  activeAmong: enrolledAmong,
}
