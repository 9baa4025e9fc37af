import type { FastifyPluginAsync } from 'fastify'
import {
  type AliasableExpression,
  type ExpressionBuilder,
  type ExpressionWrapper,
  type SqlBool,
  sql,
} from 'kysely'
import type { TObject, TSchema } from 'typebox'
import type { Account } from '../accounts/account.ts'
import type { ScopeName } from '../api/principal.ts'
import type { EventName } from '../audit/events.ts'
import type { Caller } from '../caller.ts'
import type { Challenge } from '../challenges/challenge.ts'
import type { AppError } from '../errors.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { TableDescriptions, Tables } from '../platform/tables.ts'
import type { Acr, Assurance } from '../tokens/assurance.ts'
import type { Session } from '../tokens/session.ts'
import type { FactorParts } from './parts.ts'

/**
 * One kind of second factor. The rest of the service loops over the registry of factors and knows none by its name.
 *
 * An answer is checked in two steps. `prepare` does the work that is too slow for a transaction, such as checking a
 * signature. `redeem` decides inside the transaction by one conditional write, and the session is opened in the same
 * transaction.
 */
export interface Factor<
  Answer extends FactorAnswer = FactorAnswer,
  Prepared = unknown,
  Fact extends string = string,
  Found = unknown,
> {
  /** Its name on the wire, in the counters of attempts and in the audit trail. */
  readonly method: string
  /** The level that an account reaches with this factor. */
  readonly acr: Acr
  /** Whether it stands in for another factor: it reaches the level of the best one, and counts as old as that. */
  readonly standsIn?: true
  /** Whether its answers are too long to be guessed: they pause nothing and never close it. */
  readonly unguessable?: true
  /**
   * Whether a page that poses as this service learns nothing of use from it (NIST SP 800-63B-4 section 3.2.5). Such a
   * factor is added, replaced and removed by its like, or by a recovery code.
   */
  readonly phishingResistant?: true
  /** Whether the factor is the mailbox of the account, which a password reset goes through as well. */
  readonly isMailbox?: true
  /** Whether what people hold of it is recognised by the hash key of the database, and by no other. */
  readonly boundToHashKey?: true
  /** Its member of the body of `/2fa/verify` and `/2fa/step-up`: a closed object with `method`. */
  readonly answer: TObject
  /** Schemas that its routes refer to by name. */
  readonly schemas?: readonly TSchema[]
  readonly tables: TableDescriptions
  /** Routes of its own, by the scope that guards them; they are given the `FactorsRoom`. */
  readonly routes?: Readonly<Partial<Record<ScopeName, FastifyPluginAsync<{ room: never }>>>>

  /** Facts about an account. One statement asks for the facts of all factors. */
  facts(eb: ExpressionBuilder<Tables, never>, accountId: AccountIdExpression): Record<Fact, FactExpression>
  state(account: Account, facts: Facts<Fact>, parts: FactorParts): FactorState
  /** When the account enrolled the oldest of its kind, in epoch milliseconds; asked for in the same statement. */
  since?(eb: ExpressionBuilder<Tables, never>, accountId: AccountIdExpression): SinceExpression

  /** @returns also for a wrong answer: what is thrown here is neither counted nor recorded. */
  prepare?(
    parts: FactorParts,
    account: Pick<Account, 'id'>,
    answer: Answer,
    binding: Binding,
  ): Promise<Prepared>
  /** Reads what `redeem` looks at, while the attempt is being counted. */
  find?(parts: FactorParts, trx: Trx, account: Account): Promise<Found>
  /**
   * Uses the answer up, if it is right and this is the first time.
   *
   * @returns what the factor itself shows, without the password; `null` when it is wrong, expired or used.
   * @throws {AppError} when the account has no such factor, or it answers no such question.
   */
  redeem(
    parts: FactorParts,
    trx: Trx,
    given: Given<Answer, Prepared, Fact> & { found: Found },
  ): Promise<Redeemed | null>
  /** The event of a wrong answer, by what `prepare` found, if not `code_rejected`. */
  rejected?(prepared: Prepared): EventName
  /** How a wrong answer is refused, by what `prepare` found; with `invalid_code` where this is left out. */
  refusal?(prepared: Prepared, about: RefusedAnswer): AppError
  /**
   * What follows from a right answer, in its transaction.
   *
   * @returns whether the answer has made it a factor of the account.
   */
  accepted?(
    parts: FactorParts,
    trx: Trx,
    account: Account,
    facts: Facts<Fact>,
    caller: Caller,
  ): Promise<boolean>
  /** Another factor of the account was shown. */
  otherAccepted?(parts: FactorParts, trx: Trx, account: Account, facts: Facts<Fact>): Promise<void>
  /**
   * Enrols the pending factor that the answer is of: at a sign-in of an account that has no factor, or in a session.
   * It is recorded as an enrolment or replacement, and not as an accepted code too. A factor without this is redeemed
   * as it always is.
   *
   * @returns `null` when the answer is wrong.
   */
  enrol?(parts: FactorParts, trx: Trx, given: Given<Answer, Prepared, Fact>): Promise<Enrolled | null>

  /** Takes all of its kind, and what is pending, from the account. @param now epoch milliseconds. */
  remove(trx: Trx, accountId: string, now: number, id?: string): Promise<void>
  /** Those that the account has, each with an id of its own; without this, its owner sees none. */
  list?(db: Db, account: Account, state: FactorState): Promise<ListedFactor[]>
  /** Without this it has no name of its own. */
  rename?(trx: Trx, accountId: string, id: string, name: string): Promise<void>
  /** The owner has proven the address of the account in another way. */
  addressProven?(parts: FactorParts, trx: Trx, account: Account, caller: Caller): Promise<void>
  /** A mailed token has set the password, and nothing else was shown. */
  passwordByMail?(parts: FactorParts, trx: Trx, accountId: string): Promise<void>

  /** Its own member of `GET /2fa`, in addition to the list. */
  readonly description?: { member: string; schema: TSchema }
  describe?(parts: FactorParts, account: Account): Promise<object>
  /** Its line of `users show`. */
  show(db: Db, account: Account, state: FactorState): Promise<Record<string, unknown>>
  /** Which of these accounts have it. */
  activeAmong(db: Db, accountIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Secrets that an import brings and an export takes along. */
  readonly portable?: PortableSecrets
  /** What keeps the service from starting with this database, as a sentence for the operator. */
  faultAtStart?(parts: Pick<FactorParts, 'db' | 'relyingParty'>): Promise<string | undefined>
}

/** One factor of an account, as its owner sees it. Times are epoch milliseconds. */
export interface ListedFactor {
  id: string
  name: string
  createdAt: number
  lastUsedAt: number | null
  /** Of a passkey: whether it was copied to other devices of its owner. */
  backedUp?: boolean
}

/** What a right answer shows. */
export interface Redeemed extends Assurance {
  /** Since when the account has the very one that was shown, in epoch milliseconds; of its kind the oldest if left out. */
  since?: number
}

/** The body of an answer, validated by the schema of its factor. */
export interface FactorAnswer {
  method?: string
  [member: string]: unknown
}

/** What an answer is bound to: a code or a signature is valid for nothing else. */
export type Binding =
  | { to: 'challenge'; challenge: Challenge }
  | { to: 'session'; session: Session }
  /** Together with the password, shown at this time (epoch milliseconds), or in its place where a mailed token sets it. */
  | { to: 'password'; at: number | null }
  /** Nothing else: the answer signs in alone. */
  | { to: 'sign-in' }

/** An answer inside the transaction, with the account locked. */
export interface Given<
  Answer extends FactorAnswer = FactorAnswer,
  Prepared = unknown,
  Fact extends string = string,
> {
  account: Account
  facts: Facts<Fact>
  /** Whether the account has a factor, this one or another. */
  enrolled: boolean
  answer: Answer
  binding: Binding
  /** What `prepare` returned. */
  prepared: Prepared
}

/** What a client is told of an answer that was wrong. */
export interface RefusedAnswer {
  /** RFC 3339. */
  serverTime: string
  /** Of the challenge, if it answers one. */
  attemptsLeft?: number | undefined
}

/** What an answer shows that has enrolled a factor. */
export interface Enrolled extends Assurance {
  /** Since when the account had the one of its kind whose place it took, in epoch milliseconds; `null` for none. */
  replaced: number | null
  /** Since when the account has it, in epoch milliseconds, as it was written: a clock goes on. */
  since: number
  id?: string
}

/** Each fact that was asked for; a name that was not does not compile. */
export type Facts<Fact extends string = string> = Readonly<Record<Fact, boolean>>

/** The state of a factor for one account. */
export interface FactorState {
  /** Whether the account has this factor. */
  active: boolean
  /** Whether an answer of this factor is accepted now. */
  answers: boolean
  /** Whether an account without a factor can enrol this one as its first. */
  enrollable: boolean
}

export type AccountIdExpression = AliasableExpression<string>
/** `null` where it is not active. */
export type SinceExpression = AliasableExpression<number | null>
export type FactExpression = ExpressionWrapper<Tables, never, SqlBool>

/**
 * The least value of a column. For `min` alone SQLite sorts, which took a third of the time of the statement that asks
 * for the facts; with a second aggregate it does not.
 */
export const least = (column: string) => sql<number | null>`min(${sql.ref(column)}) + 0 * count(*)`

/** How secrets of a factor are written in files that are imported and exported. */
export interface PortableSecrets {
  /** The fields of a file, each with the values it may hold. The first one is the secret. */
  readonly fields: Readonly<Record<string, string>>
  /** The option of the export command that includes the secrets, and the warning that the operator sees with it. */
  readonly option: { flag: string; description: string; warning: string }
  /**
   * Reads a secret from the fields of a file.
   *
   * @throws {SecretError} with a sentence for the operator that does not repeat the secret.
   */
  read(values: Readonly<Record<string, string>>): Buffer
  /** Enrols accounts with secrets that their owners already use. */
  keep(
    parts: Pick<FactorParts, 'box' | 'clock'>,
    trx: Trx,
    secrets: readonly { accountId: string; secret: Buffer }[],
  ): Promise<void>
  /** @returns the secrets of these accounts as a file holds them, by account. @throws {UnsealError} */
  export(
    parts: Pick<FactorParts, 'box' | 'db'>,
    accountIds: readonly string[],
  ): Promise<ReadonlyMap<string, string>>
}

/** A secret in a file cannot be taken; the message is for the operator, and repeats no secret. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
}
