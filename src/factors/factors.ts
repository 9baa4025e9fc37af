import type { Account } from '../accounts/account.ts'
import type { Db } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import { ACRS, type Acr } from '../tokens/assurance.ts'
import type { Factor, FactorState, Facts } from './factor.ts'
import type { FactorParts } from './parts.ts'

/** The factors of one account. */
export interface AccountFactors {
  /** Whether it has a factor. If so, nothing weaker is accepted instead, even when the factor cannot answer now. */
  enrolled: boolean
  /** The level that its best factor reaches. */
  bestAcr: Acr
  /** When the account enrolled this factor, in epoch milliseconds; `null` for one that is not active. */
  since(factor: Factor): number | null
  /** Since when it has had its oldest active factor; `null` for none. */
  oldestSince: number | null
  /** Whether it has a factor that phishing does not reach. */
  phishingResistant: boolean
  /** Whether its first factor takes the enrolment code that an operator handed out. */
  owesEnrolmentCode: boolean
  /** Whether the mailbox is its only factor. */
  mailboxAlone: boolean
  state(factor: Factor): FactorState
  facts(factor: Factor): Facts
  /** Whether it has a factor other than this one. */
  hasOther(factor: Factor): boolean
}

/** The interface of factors for other rooms. */
export interface Factors {
  readonly all: readonly Factor[]
  /** The factor for a method that a schema has already validated. */
  named(method: string): Factor
  /** Reads the state of all factors of an account. */
  of(db: Db, account: Account): Promise<AccountFactors>
  /** Reads the same before the account is known. @returns a function that needs it. */
  read(db: Db, accountId: string): Promise<(account: Account) => AccountFactors>
  /**
   * The methods that an account can use now: those that can answer a challenge if it is enrolled, otherwise those
   * that it can enrol. A factor that a hundred wrong answers have closed is left out.
   *
   * @returns a function that needs what {@link of} returns, which may be read together with this.
   */
  methods(db: Db, accountId: string): Promise<(known: AccountFactors) => string[]>
}

export function makeFactors(registry: readonly Factor[], parts: FactorParts): Factors {
  /** One statement, however many factors there are. */
  const accountFacts = prepared((db, param: Params<{ accountId: string }>) =>
    db.selectNoFrom((eb) => [
      eb
        .exists(
          eb.selectFrom('enrolment_codes').select('account_id').where('account_id', '=', param('accountId')),
        )
        .as('owes_enrolment_code'),
      ...registry.flatMap((factor, index) => [
        ...Object.entries(factor.facts(eb, param('accountId'))).map(([name, fact]) =>
          fact.as(columnOf(index, name)),
        ),
        ...(factor.since ? [factor.since(eb, param('accountId')).as(sinceOf(index))] : []),
      ]),
    ]),
  )

  function stateOf(row: Record<string, unknown>, account: Account): AccountFactors {
    const known = new Map(
      registry.map((factor, index) => {
        const facts = factsIn(row, index)
        const since = Number(row[sinceOf(index)] ?? 0) || null
        return [factor, { facts, since, state: factor.state(account, facts, parts) }]
      }),
    )
    const of = (factor: Factor) => {
      const found = known.get(factor)
      if (!found) throw new Error(`There is no factor ${factor.method}`)
      return found
    }
    const active = registry.filter((factor) => of(factor).state.active)
    const times = active.map((factor) => of(factor).since).filter((since) => since !== null)
    return {
      enrolled: active.length > 0,
      bestAcr: ACRS.findLast((level) => active.some(({ acr }) => acr === level)) ?? 'aal1',
      phishingResistant: active.some((factor) => factor.phishingResistant),
      owesEnrolmentCode: Boolean(row.owes_enrolment_code),
      mailboxAlone: active.length > 0 && active.every(({ isMailbox }) => isMailbox),
      state: (factor) => of(factor).state,
      facts: (factor) => of(factor).facts,
      since: (factor) => of(factor).since,
      oldestSince: times.length > 0 ? Math.min(...times) : null,
      hasOther: (factor) => active.some((other) => other !== factor),
    }
  }

  const factors: Factors = {
    all: registry,

    named(method) {
      const factor = registry.find((factor) => factor.method === method)
      if (!factor) throw new Error(`There is no factor ${method}`)
      return factor
    },

    async of(db, account) {
      return (await factors.read(db, account.id))(account)
    },

    async read(db, accountId) {
      const row = await accountFacts.first(db, { accountId })
      if (!row) throw new Error('The facts of an account are one row')
      return (account) => stateOf(row, account)
    },

    async methods(db, accountId) {
      const closed = await parts.attempts.closed(db, accountId)
      return ({ enrolled, owesEnrolmentCode, state }) =>
        registry
          .filter((factor) => (enrolled ? state(factor).answers : state(factor).enrollable))
          // What has no enrolment cannot be begun with an enrolment code.
          .filter((factor) => enrolled || !owesEnrolmentCode || factor.enrol)
          .map(({ method }) => method)
          .filter((method) => !closed.includes(method))
    },
  }
  return factors
}

/** Numbered, so that no two factors can mean one column. */
const columnOf = (index: number, name: string) => `f${index}_${name}`

const sinceOf = (index: number) => `since${index}`

function factsIn(row: Record<string, unknown>, index: number): Facts {
  const prefix = columnOf(index, '')
  const facts: Record<string, boolean> = {}
  for (const column in row)
    if (column.startsWith(prefix)) facts[column.slice(prefix.length)] = Boolean(row[column])
  return facts
}
