import { importAccounts } from '../../accounts/import-accounts.ts'
import { newEnrolmentCode } from '../../factors/enrolment-code.ts'
import { batchesOf } from '../../platform/batches.ts'
import type { Service } from '../../service.ts'
import { operatorCaller } from '../operator.ts'
import { requireHolders } from '../require-holders.ts'
import { CommandFailed, columns, showProgress } from '../terminal.ts'
import type { ReadRecord } from './fields.ts'
import {
  type Candidate,
  comesWithFactor,
  keyOf,
  makePrepare,
  nobodysPassword,
  type Refusal,
} from './prepare.ts'

/** The result for each record of a file. */
export type ImportReport = Awaited<ReturnType<typeof runImport>>

/** An enrolment code for the owner of an account. */
export interface HandedCode {
  username: string
  code: string
}

interface ImportOptions {
  /** `false` for a rehearsal. */
  apply: boolean
  /** Whether to import the other accounts when some are refused; otherwise nothing is imported then. */
  skipRefused: boolean
  /**
   * Takes the enrolment codes of accounts that come without a factor, before these accounts are written: otherwise an
   * account could wait for a code that was lost. The code of an account that was not taken after all opens nothing. Without
   * this function only the accounts that needed a code before need one, and an operator has to make it.
   */
  hand?: (codes: readonly HandedCode[]) => Promise<void>
}

/**
 * Reads a file to its end and checks all of it before it writes the first account. Accounts are written in batches,
 * each account completely. Accounts that exist already are not changed, so that an interrupted import can be run
 * again.
 *
 * @throws {CommandFailed} when a replica could not read the authenticators, before anything is written.
 */
export async function runImport(
  service: Service,
  records: AsyncIterable<ReadRecord>,
  { apply, skipRefused, hand }: ImportOptions,
) {
  const read = await readAll(service, records)
  const { free: found, skipped, refused: conflicts } = await sortOut(service, read.candidates)
  const free = found.map((candidate) => withCode(candidate, hand !== undefined))
  const refused = [...read.refused, ...conflicts]
  const applied = apply && (refused.length === 0 || skipRefused)
  if (applied && free.some(comesWithFactor))
    await requireHolders(service, service.box.keyId, 'Nothing is imported yet.')
  const late = applied ? await write(service, free, hand) : []
  const taken = free.filter((candidate) => !late.includes(candidate))
  return {
    /** `false` for a rehearsal, and when records were refused and so nothing was done. */
    applied,
    records: read.candidates.length + read.refused.length,
    taken: taken.length,
    with_authenticator: taken.filter(comesWithFactor).length,
    enrolment_codes: taken.filter(({ enrolmentCode }) => enrolmentCode).length,
    /** How many there are of each kind. */
    password_hashes: countBy(taken, ({ scheme }) => scheme),
    /** Accounts that exist already and were not changed. */
    skipped: [...skipped, ...late].map(({ place, username }) => ({ place, username })),
    refused,
  }
}

async function readAll({ clock, passwords, usernames }: Service, records: AsyncIterable<ReadRecord>) {
  const prepare = makePrepare(await passwords.hash(nobodysPassword()), { clock, usernames })
  const candidates: Candidate[] = []
  const refused: Refusal[] = []
  const places = new Map<string, string>()
  for await (const record of records) {
    if ('fault' in record) {
      refused.push({ place: record.place, username: '', reasons: [record.fault] })
      continue
    }
    const prepared = prepare(record)
    if ('reasons' in prepared) {
      refused.push(prepared)
      continue
    }
    const { place, username, id } = prepared
    const earlier = places.get(keyOf(prepared)) ?? places.get(id)
    if (earlier) {
      refused.push({ place, username, reasons: [`the same name (ignoring case) or id as in ${earlier}`] })
      continue
    }
    places.set(keyOf(prepared), place).set(id, place)
    candidates.push(prepared)
  }
  return { candidates, refused }
}

/** Compares with the accounts that are in the database already. */
async function sortOut({ accounts }: Service, candidates: readonly Candidate[]) {
  const free: Candidate[] = []
  const skipped: Candidate[] = []
  const refused: Refusal[] = []
  for (const batch of batchesOf(candidates)) {
    const taken = await accounts.taken(batch)
    for (const candidate of batch) {
      const { place, username, id } = candidate
      if (taken.keys.has(keyOf(candidate))) skipped.push(candidate)
      else if (taken.ids.has(id)) refused.push({ place, username, reasons: ['id: another account has it'] })
      else free.push(candidate)
    }
  }
  return { free, skipped, refused }
}

/** @returns the accounts that were made by others meanwhile. */
async function write(
  service: Service,
  candidates: readonly Candidate[],
  hand: ImportOptions['hand'],
): Promise<Candidate[]> {
  const caller = operatorCaller()
  const progress = showProgress('Importing', candidates.length)
  const late: Candidate[] = []
  let done = 0
  try {
    for (const batch of batchesOf(candidates)) {
      const codes = batch.flatMap(({ username, enrolmentCode: code }) => (code ? [{ username, code }] : []))
      if (codes.length > 0) await hand?.(codes)
      const taken = await importAccounts(service, batch, caller)
      late.push(...batch.filter(({ id }) => !taken.has(id)))
      done += batch.length
      progress.advance(batch.length)
    }
    return late
  } catch (error) {
    throw new CommandFailed(
      `Stopped after ${done} of ${candidates.length} accounts: ${(error as Error).message}. Those are imported completely. Run the same command again for the others${hand ? ', with another file for the codes' : ''}.`,
    )
  } finally {
    progress.end()
  }
}

/** @param all whether every account without a factor gets a code, or only the ones that needed one before. */
function withCode(candidate: Candidate, all: boolean): Candidate {
  return candidate.owing || (all && !comesWithFactor(candidate))
    ? { ...candidate, enrolmentCode: newEnrolmentCode() }
    : candidate
}

function countBy<T>(all: readonly T[], nameOf: (one: T) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(all, nameOf)].map(([name, group]) => [name, group.length]))
}

/** The most that are shown. The others are counted, and the JSON has all of them. */
const SHOWN = 20

const OWING = 'for their first factor: from --enrolment-codes or keyturn users reset-2fa'

/** The report in words for people. */
export function describeReport(report: ImportReport): string {
  const { applied, taken, enrolment_codes: owing, skipped, refused } = report
  const counts = columns([
    [applied ? 'imported' : 'to import', String(taken), `${report.with_authenticator} with an authenticator`],
    ...(owing > 0 ? [['need a code', String(owing), OWING] as const] : []),
    ['skipped', String(skipped.length), skipped.length > 0 ? 'they exist already and stay as they are' : ''],
    ['refused', String(refused.length), ''],
  ])
  const hashes = Object.entries(report.password_hashes).map(([scheme, count]) => `${count} ${scheme}`)
  const reasons = refused
    .slice(0, SHOWN)
    .map(
      ({ place, username, reasons }) =>
        `  ${[place, username].filter(Boolean).join(', ')}: ${reasons.join('; ')}`,
    )
  return [
    counts,
    ...(hashes.length > 0 ? [`password hashes: ${hashes.join(', ')}`] : []),
    ...reasons,
    ...(refused.length > SHOWN ? [`  and ${refused.length - SHOWN} more: --json has them all`] : []),
    ...conclusion(report),
  ].join('\n')
}

function conclusion({ applied, taken, refused }: ImportReport): string[] {
  if (applied) return []
  if (refused.length > 0)
    return [
      'Nothing was changed. Correct what was refused, or import the others with --apply --skip-refused.',
    ]
  return [taken > 0 ? 'Nothing was changed. Import with --apply.' : 'There is nothing to do.']
}
