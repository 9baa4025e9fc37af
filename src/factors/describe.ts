import type { Account } from '../accounts/account.ts'
import type { FactorsRoom } from './room.ts'

/** The factors as the owner of an account sees them: a member for each, by the schema of its factor. */
export async function describeFactors(
  { db, factors }: Pick<FactorsRoom, 'db' | 'factors'>,
  account: Account,
): Promise<Record<string, object>> {
  const { enrolled, state } = await factors.of(db, account)
  const described: Record<string, object> = {}
  for (const factor of factors.all)
    described[factor.description.member] = await factor.describe(db, account, {
      state: state(factor),
      enrolled,
    })
  return described
}
