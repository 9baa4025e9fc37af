import type { Account } from '../accounts/account.ts'
import type { Db } from '../platform/database.ts'
import type { FailureCounters } from '../sign-in/failure-counters.ts'
import type { Acr } from '../tokens/assurance.ts'
import type { EmailCodes } from './email-codes.ts'
import { hasActiveTotp, hasUnusedRecoveryCode } from './store.ts'

export const METHODS = ['totp', 'email', 'recovery_code'] as const
/** What answers a challenge. */
export type Method = (typeof METHODS)[number]

/** What an account can prove itself with, beside its password. */
export interface FactorState {
  totp: boolean
  /** Whether codes by mail are taken beside the password. */
  email: boolean
  /** Also when codes by mail are its factor and are switched off: nothing weaker takes their place then. */
  enrolled: boolean
  /** For an enrolled account, what it can answer with now; for another, what it can enrol. */
  methods: Method[]
  /** The level that the account's best factor gives. */
  bestAcr: Acr
}

/** What other rooms may ask about factors. */
export interface Factors {
  of(db: Db, account: Account): Promise<FactorState>
  /** The same as `enrolled` of it, with one question instead of three. */
  enrolled(db: Db, account: Account): Promise<boolean>
  /** The same as `bestAcr` of it. */
  bestAcr(db: Db, account: Account): Promise<Acr>
}

export function makeFactors({
  emailCodes,
  failureCounters,
}: {
  emailCodes: EmailCodes
  failureCounters: FailureCounters
}): Factors {
  const acrWith = (totp: boolean): Acr => (totp ? 'aal2' : 'aal1')

  return {
    enrolled: async (db, account) => account.emailIsFactor || (await hasActiveTotp(db, account.id)),
    bestAcr: async (db, account) => acrWith(await hasActiveTotp(db, account.id)),

    async of(db, account) {
      const totp = await hasActiveTotp(db, account.id)
      const enrolled = totp || account.emailIsFactor
      const mailed = emailCodes.offeredTo(account)

      const methods: Method[] = []
      if (totp || !enrolled) methods.push('totp')
      if (mailed) methods.push('email')
      if (enrolled && (await hasUnusedRecoveryCode(db, account.id))) methods.push('recovery_code')
      const closed = await failureCounters.closedFactors(db, account.id)
      const open = methods.filter((method) => !closed.includes(method))
      return { totp, email: enrolled && mailed, enrolled, methods: open, bestAcr: acrWith(totp) }
    },
  }
}
