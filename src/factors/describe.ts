import type { Account } from '../accounts/account.ts'
import type { Db } from '../platform/database.ts'
import type { Factor, ListedFactor } from './factor.ts'
import type { AccountFactors } from './factors.ts'
import type { FactorsRoom } from './room.ts'

/** One factor of an account, and its kind. */
export interface OwnFactor extends ListedFactor {
  factor: Factor
}

/** The factors of an account, in the order of their kinds. */
export async function listFactors(
  { factors }: Pick<FactorsRoom, 'factors'>,
  db: Db,
  account: Account,
  known: AccountFactors,
): Promise<OwnFactor[]> {
  const listed: OwnFactor[] = []
  for (const factor of factors.all)
    for (const each of (await factor.list?.(db, account, known.state(factor))) ?? [])
      listed.push({ ...each, factor })
  return listed
}

/** What kinds of factor have to say in addition to the list, by the schema of each. */
export async function describeFactors(room: FactorsRoom, account: Account): Promise<Record<string, object>> {
  const described: Record<string, object> = {}
  for (const { description, describe } of room.factors.all)
    if (description && describe) described[description.member] = await describe(room, account)
  return described
}
