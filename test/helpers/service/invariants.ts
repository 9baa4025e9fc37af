import type { FastifyInstance, InjectOptions } from 'fastify'
import type { KeyedHash } from '../../../src/crypto/keyed-hash.ts'
import { type Db, openDatabase } from '../../../src/platform/database.ts'
import { type Evidence, readTables } from './invariants/evidence.ts'
import { openLedger } from './invariants/ledger.ts'
import {
  nothingIsAcceptedTwice,
  refreshTokensHaveTheirSession,
  secretsAreNotWrittenDown,
  tokensHaveTheirSession,
} from './invariants/rules-of-answers.ts'
import {
  countersAreResetBySuccess,
  factorsWereShown,
  whatIsAcceptedIsSpent,
  whatIsUsedStaysUsed,
} from './invariants/rules-of-history.ts'
import {
  activeFactorsHaveSpentACode,
  countersAreInBounds,
  fileIsSound,
  levelsFollowFromFactors,
} from './invariants/rules-of-state.ts'
import { type Finding, makeSteps, type Steps } from './invariants/steps.ts'
import { makeWitness, type Witness } from './invariants/witness.ts'
import type { Answer } from './service.ts'

const RULES = {
  fileIsSound,
  levelsFollowFromFactors,
  activeFactorsHaveSpentACode,
  countersAreInBounds,
  whatIsUsedStaysUsed,
  whatIsAcceptedIsSpent,
  factorsWereShown,
  countersAreResetBySuccess,
  nothingIsAcceptedTwice,
  tokensHaveTheirSession,
  refreshTokensHaveTheirSession,
  secretsAreNotWrittenDown,
} satisfies Record<string, (evidence: Evidence) => Finding[] | Promise<Finding[]>>

export type RuleName = keyof typeof RULES

export const RULE_NAMES = Object.keys(RULES) as RuleName[]

/** What must hold after every test, whatever it was about. */
export interface Invariants {
  /** A request is sent. @returns what is to be called with its answer. */
  sent(request: InjectOptions): (answer: Answer) => void
  saw: Witness['saw']
  /** What breaks each rule that is broken. */
  broken(): Promise<Partial<Record<RuleName, string[]>>>
  /** Sends again what was accepted last; nothing of it may be accepted now. */
  replay(app: FastifyInstance): Promise<void>
  /** @throws {Error} when a rule is broken. */
  check(): Promise<void>
}

/** @param spared the rules that the test itself breaks, behind the service's back. */
export async function watchInvariants(
  { db, keyedHash }: { db: Db; keyedHash: KeyedHash },
  logLines: readonly string[],
  spared: readonly RuleName[] = [],
): Promise<Invariants> {
  const witness = makeWitness()
  const steps = makeSteps()
  const readLedger = await openLedger(db)

  async function broken() {
    return findBroken(
      {
        db,
        ...(await readTables(db)),
        ledger: await readLedger(),
        witness,
        log: logLines.join(''),
        refreshTokenHash: (token) => keyedHash('refresh token', token),
      },
      steps,
    )
  }

  function sent(request: InjectOptions): (answer: Answer) => void {
    const answered = steps.begin(request)
    return (answer) => {
      witness.saw(request, answer)
      answered(answer.status)
    }
  }

  return {
    sent,
    saw: witness.saw,
    broken,
    async replay(app) {
      for (const { request } of witness.lastOfEachKind()) {
        const answered = sent(request)
        const response = await app.inject(request)
        const json = /json/.test(String(response.headers['content-type']))
        const { statusCode: status, headers, body: text } = response
        answered({ status, headers, text, body: json ? response.json() : undefined })
      }
    },
    async check() {
      // A test that breaks everything may have closed the database, too.
      if (spared.length < RULE_NAMES.length) complain(await broken(), spared)
    },
  }
}

/**
 * Checks a database that other processes wrote, and what they wrote to their logs.
 *
 * @throws {Error} when a rule is broken.
 */
export async function checkDatabaseFile(path: string, log = ''): Promise<void> {
  const db = await openDatabase(`sqlite:${path}`)
  try {
    const witness = makeWitness()
    const nothing = { ledger: [], witness, refreshTokenHash: (token: string) => token }
    complain(await findBroken({ db, ...(await readTables(db)), ...nothing, log }, makeSteps()))
  } finally {
    await db.destroy()
  }
}

async function findBroken(evidence: Evidence, steps: Steps): Promise<Partial<Record<RuleName, string[]>>> {
  const broken: Partial<Record<RuleName, string[]>> = {}
  for (const [name, rule] of Object.entries(RULES)) {
    const found = await rule(evidence)
    if (found.length > 0) broken[name as RuleName] = found.map(steps.explain)
  }
  return broken
}

function complain(broken: Partial<Record<RuleName, string[]>>, spared: readonly RuleName[] = []): void {
  const names = (Object.keys(broken) as RuleName[]).filter((name) => !spared.includes(name))
  if (names.length > 0)
    throw new Error(
      names.map((name) => `Invariant ${name} is broken: ${broken[name]?.join('; ')}`).join('\n'),
    )
}
