import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Accounts, makeAccounts } from '../../accounts/accounts.ts'
import { usernamesOf } from '../../accounts/list-accounts.ts'
import { ACTORS, type Actor, EVENTS, type EventName } from '../../audit/events.ts'
import { type EventFilter, listEvents } from '../../audit/list-events.ts'
import type { AuditEventRow } from '../../audit/tables.ts'
import { rfc3339, systemClock } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { harmless } from '../../platform/logger.ts'
import { isUuid } from '../../values/uuid.ts'
import { findAccount, withExistingDatabase } from '../surroundings.ts'
import { CommandFailed, pointInTime, wholeNumber } from '../terminal.ts'

const FOLLOW_EVERY_MS = 1_000
/** Events are dated before they are committed, so that an earlier event of another process may appear later. */
const OVERLAP_MS = 15_000
const FOLLOWED_AT_ONCE = 10_000
/** What `--limit` can ask for. */
export const MOST_SHOWN = 100_000

const EXAMPLES = `
With --json, each event is one line.

Examples:
  keyturn audit --user ada
  keyturn audit --event code_rejected --since 2h --limit 1000
  keyturn audit --actor operator --since 2026-11-01
  keyturn audit --follow --json | jq -c 'select(.outcome == "failure")'`

interface Options {
  user?: string
  event?: EventName
  actor?: Actor
  since?: number
  limit: number
  follow?: true
}

export function registerAudit(program: Command): void {
  program
    .command('audit')
    .description('show the audit trail, latest events last')
    .option('--user <user>', 'only events of this account: username, or id, also of one that is deleted')
    .addOption(
      // Its own error would list every name.
      new Option('--event <name>', 'only events of this kind')
        .choices(Object.keys(EVENTS))
        .argParser(eventName),
    )
    .addOption(
      new Option('--actor <actor>', 'only events by clients, by operators or by the service itself').choices(
        ACTORS,
      ),
    )
    .option('--since <time>', 'only events since then: 30m, 2h, 7d or a time', pointInTime)
    .option('--limit <number>', 'how many events at most', wholeNumber(1, MOST_SHOWN), 100)
    .option('--follow', 'go on and show new events')
    .addHelpText('after', EXAMPLES)
    .action(async ({ user, follow, ...options }: Options, command: Command) => {
      const { json } = command.optsWithGlobals()
      const print = json ? printJson : printText
      await withExistingDatabase(async (db) => {
        const accounts = makeAccounts({ db, clock: systemClock })
        const accountId = user === undefined ? undefined : await accountIdOf(accounts, user)
        const filter = { ...options, ...(accountId && { accountId }) }
        const before = follow ? await listLately(db, filter) : []
        const found = await listNamed(db, { ...filter, limit: filter.limit + 1 })
        const shown = found.slice(-filter.limit)
        if (found.length > shown.length)
          console.error(`There are more, earlier ones: --limit, at most ${MOST_SHOWN}`)
        if (shown.length === 0 && !json && !follow) console.error('No event was found.')
        for (const event of shown) print(event)
        if (follow) await followEvents(db, filter, [...before, ...shown], print)
      })
    })
}

function eventName(text: string): EventName {
  if (Object.hasOwn(EVENTS, text)) return text as EventName
  throw new InvalidArgumentError('There is no such event. The help lists all names.')
}

/** The events of an account outlive it, under its id. */
async function accountIdOf(accounts: Accounts, user: string): Promise<string> {
  const id = user.toLowerCase()
  const account = await findAccount(accounts, user).catch((error) => {
    if (!isUuid(id) || !(error instanceof CommandFailed)) throw error
  })
  return account?.id ?? id
}

/** An event, and the present username of its account; `null` when the account is gone. */
type ListedEvent = AuditEventRow & { username: string | null }

/** The latest events, the oldest of them first. */
async function listNamed(db: Db, filter: EventFilter): Promise<ListedEvent[]> {
  const events = (await listEvents(db, filter)).reverse()
  const ids = new Set(events.flatMap(({ account_id }) => account_id ?? []))
  const names = await usernamesOf(db, [...ids])
  return events.map((event) => ({ ...event, username: names.get(event.account_id ?? '') ?? null }))
}

/** The latest events, as far back as an earlier one may still appear. */
function listLately(db: Db, filter: EventFilter): Promise<ListedEvent[]> {
  return listNamed(db, { ...filter, since: systemClock.now() - OVERLAP_MS, limit: FOLLOWED_AT_ONCE })
}

/** @param before the events that were printed already, or must not be. */
async function followEvents(
  db: Db,
  filter: EventFilter,
  before: readonly ListedEvent[],
  print: (event: ListedEvent) => void,
): Promise<void> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort())
  let seen = new Set(before.map(({ id }) => id))
  while (!ending.signal.aborted) {
    await sleep(FOLLOW_EVERY_MS, undefined, { signal: ending.signal }).catch(() => {})
    const events = await listLately(db, filter)
    for (const event of events) if (!seen.has(event.id)) print(event)
    seen = new Set([...events, ...before].map(({ id }) => id))
  }
}

function printJson({ at, ...event }: ListedEvent): void {
  console.log(JSON.stringify({ at: rfc3339(at), ...event }))
}

function printText({ at, event, outcome, account_id, username, method, ip, user_agent }: ListedEvent): void {
  const whose = username ?? account_id ?? '-'
  console.log(harmless([rfc3339(at), event, outcome, whose, method ?? '-', ip || user_agent].join('  ')))
}
