import type { Db } from '../platform/database.ts'
import type { Acr } from '../tokens/assurance.ts'
import { hasUnusedRecoveryCode, isEnrolled } from './store.ts'

export const METHODS = ['totp', 'email', 'recovery_code'] as const
/** What answers a challenge. */
export type Method = (typeof METHODS)[number]

/** What an account can prove itself with, beside its password. */
export interface FactorState {
  enrolled: boolean
  /** For an enrolled account, what it can answer with now; for another, what it can enrol. */
  methods: Method[]
  /** The level that the account's best factor gives. */
  bestAcr: Acr
}

/** What other rooms may ask about factors. */
export interface Factors {
  of(db: Db, accountId: string): Promise<FactorState>
}

export const factors: Factors = {
  async of(db, accountId) {
    if (!(await isEnrolled(db, accountId))) return { enrolled: false, methods: ['totp'], bestAcr: 'aal1' }
    const methods: Method[] = ['totp']
    if (await hasUnusedRecoveryCode(db, accountId)) methods.push('recovery_code')
    return { enrolled: true, methods, bestAcr: 'aal2' }
  },
}
