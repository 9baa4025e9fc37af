import type { Dependencies } from '../../dependencies.ts'
import { operatorClient } from '../operator-client.ts'
import { CommandFailed } from '../terminal/failures.ts'
import { showProgress } from '../terminal/progress.ts'
import { type Candidate, keyOf, makePrepare, nobodysPassword } from './prepare.ts'
import type { ReadRecord } from './record.ts'

/** Accounts in one transaction: some ten milliseconds, between which a running service has its turn. */
const BATCH_SIZE = 500

export interface Refusal {
  place: string
  username: string
  reasons: string[]
}

/** What became of each record of a file. */
export interface ImportReport {
  /** False for a rehearsal, and when nothing was done because of refusals. */
  applied: boolean
  records: number
  taken: number
  /** How many of those bring an authenticator. */
  with_authenticator: number
  /** How many there are of each kind of password hash. */
  password_hashes: Record<string, number>
  /** Already there, and left as they are. */
  skipped: { place: string; username: string }[]
  refused: Refusal[]
}

/**
 * Reads a file to its end and checks all of it before the first account is written. Each account is taken whole,
 * in batches; one that is there already is left alone, so an import that was cut off goes on where it ended.
 *
 * @param apply false to rehearse.
 * @param skipRefused whether to take the others when some are refused; otherwise nothing is taken then.
 */
export async function runImport(
  service: Dependencies,
  records: AsyncIterable<ReadRecord>,
  { apply, skipRefused }: { apply: boolean; skipRefused: boolean },
): Promise<ImportReport> {
  const read = await readAll(service, records)
  const { free, skipped, refused: conflicts } = await sortOut(service, read.candidates)
  const refused = [...read.refused, ...conflicts]
  const applied = apply && (refused.length === 0 || skipRefused)
  const late = applied ? await write(service, free) : []
  const taken = free.filter((candidate) => !late.includes(candidate))
  return {
    applied,
    records: read.candidates.length + read.refused.length,
    taken: taken.length,
    with_authenticator: taken.filter(({ totpSecret }) => totpSecret).length,
    password_hashes: countBy(taken, ({ scheme }) => scheme),
    skipped: [...skipped, ...late].map(({ place, username }) => ({ place, username })),
    refused,
  }
}

async function readAll({ clock, passwords }: Dependencies, records: AsyncIterable<ReadRecord>) {
  const prepare = makePrepare({ clock, nobodysHash: await passwords.hash(nobodysPassword()) })
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
      refused.push({ place, username, reasons: [`the same name, but for case, or id as in ${earlier}`] })
      continue
    }
    places.set(keyOf(prepared), place).set(id, place)
    candidates.push(prepared)
  }
  return { candidates, refused }
}

/** Against what is in the database already. */
async function sortOut({ accounts }: Dependencies, candidates: readonly Candidate[]) {
  const free: Candidate[] = []
  const skipped: Candidate[] = []
  const refused: Refusal[] = []
  for (const batch of batches(candidates)) {
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

/** @returns those that others were faster with. */
async function write(
  { importAccounts }: Dependencies,
  candidates: readonly Candidate[],
): Promise<Candidate[]> {
  const client = operatorClient()
  const progress = showProgress('Importing', candidates.length)
  const late: Candidate[] = []
  let done = 0
  try {
    for (const batch of batches(candidates)) {
      const taken = await importAccounts(batch, client)
      late.push(...batch.filter(({ id }) => !taken.has(id)))
      done += batch.length
      progress.advance(batch.length)
    }
    return late
  } catch (error) {
    throw new CommandFailed(
      `Stopped after ${done} of ${candidates.length} accounts: ${(error as Error).message}. Those are in, each whole. The same command goes on from there.`,
    )
  } finally {
    progress.end()
  }
}

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += BATCH_SIZE) yield all.slice(start, start + BATCH_SIZE)
}

function countBy<T>(all: readonly T[], nameOf: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const one of all) counts[nameOf(one)] = (counts[nameOf(one)] ?? 0) + 1
  return counts
}
