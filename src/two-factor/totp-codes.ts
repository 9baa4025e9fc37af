import type { SecretBox } from '../crypto/secret-box.ts'
import { notEnrolled } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { totpSecretContext } from './setup.ts'
import { activateTotpFactor, findTotpFactors, spendTimeStep, type TotpFactor } from './store.ts'
import { matchingTimeStep } from './totp.ts'

/** Codes of authenticators against the database: a code that was accepted is spent when the call returns. */
export interface TotpCodes {
  factorsOf(db: Db, accountId: string): Promise<{ active?: TotpFactor; pending?: TotpFactor }>
  /** Whether the code is right for an active factor, and good for the first time. */
  spend(trx: Trx, active: TotpFactor, code: string): Promise<boolean>
  /**
   * Whether the code is right for a pending factor; the factor is the active one from then on.
   *
   * @throws {AppError} not_enrolled when another request was first.
   */
  confirm(trx: Trx, pending: TotpFactor, code: string): Promise<boolean>
}

export function makeTotpCodes({ box, clock }: { box: SecretBox; clock: Clock }): TotpCodes {
  function stepOf(factor: TotpFactor, code: string): number | null {
    const secret = box.open(factor.sealedSecret, totpSecretContext(factor.accountId, factor.id))
    return matchingTimeStep(secret, code, clock.now(), factor.lastUsedStep)
  }

  return {
    factorsOf: (db, accountId) => findTotpFactors(db, accountId, clock.now()),

    async spend(trx, active, code) {
      const step = stepOf(active, code)
      return step !== null && (await spendTimeStep(trx, active.id, step))
    },

    async confirm(trx, pending, code) {
      const step = stepOf(pending, code)
      if (step === null) return false
      // Thrown, so that the active factor is not gone with a pending one that another request has taken.
      if (!(await activateTotpFactor(trx, pending, step, clock.now()))) throw notEnrolled()
      return true
    },
  }
}
