import type { Static } from 'typebox'
import type { Account } from '../accounts/account.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Factors } from './factors.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { FactorsResponse } from './schemas.ts'
import type { TotpCodes } from './totp-codes.ts'

/** What the owner of an account sees of its factors. */
export type DescribeFactors = (account: Account) => Promise<Static<typeof FactorsResponse>>

export function makeDescribeFactors({
  db,
  factors,
  totpCodes,
  recoveryCodes,
}: {
  db: Db
  factors: Factors
  totpCodes: TotpCodes
  recoveryCodes: RecoveryCodes
}): DescribeFactors {
  return async (account) => {
    const { active } = await totpCodes.factorsOf(db, account.id)
    const { email } = await factors.of(db, account)
    const { remaining, generatedAt } = await recoveryCodes.stock(db, account.id)
    return {
      totp: { active: active !== undefined, confirmed_at: timeOf(active?.confirmedAt) },
      email: { active: email },
      recovery_codes: { remaining, generated_at: timeOf(generatedAt) },
    }
  }
}

function timeOf(epochMs: number | null | undefined): string | null {
  return epochMs ? rfc3339(epochMs) : null
}
