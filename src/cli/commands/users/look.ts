import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { type ListedAccount, listAccounts } from '../../../accounts/list-accounts.ts'
import { anywhere, from } from '../../../attempts/subjects.ts'
import { listPausedAccounts } from '../../../audit/list-events.ts'
import { readStoredHash } from '../../../crypto/stored-hash/read-stored-hash.ts'
import type { Factors } from '../../../factors/factors.ts'
import { batchesOf } from '../../../platform/batches.ts'
import { rfc3339 } from '../../../platform/clock.ts'
import type { Db } from '../../../platform/database.ts'
import type { Service } from '../../../service.ts'
import { listPausedFrom, pausedSince } from '../../../sign-in/unlock.ts'
import { networkOf } from '../../../values/network.ts'
import { usernameKey } from '../../../values/username.ts'
import { findAccount, withExistingService } from '../../surroundings.ts'
import { answer, columns, wholeNumber } from '../../terminal.ts'

/** A pause that is on. */
export interface Pause {
  /** What was guessed at: the password, or a factor. */
  of: string
  /** Where it holds, for a password: in one network, or in all networks that are not the account's own. */
  network?: string
  until: string
}

const OTHERS = 'all but its own'

async function pausesOf(service: Service, account: Account): Promise<Pause[]> {
  const { attempts, db, keyedHash } = service
  const { id, username } = account
  const networks = new Map(
    (await listPausedFrom(service, db, account)).map((ip) => [networkOf(ip), from(keyedHash, username, ip)]),
  )
  const places = [[OTHERS, anywhere(keyedHash, username)] as const, ...networks, [undefined, id] as const]
  const pauses: Pause[] = []
  for (const [network, subject] of places)
    for (const { factor, until } of await attempts.pauses(db, subject))
      pauses.push({ of: factor, ...(network && { network }), until: rfc3339(until) })
  return pauses
}

/** The accounts that are paused somewhere, from the events of the longest pause there is. */
async function pausedAccounts(service: Service): Promise<{ account: Account; pauses: Pause[] }[]> {
  const { accounts, clock, db } = service
  const paused = []
  for (const id of await listPausedAccounts(db, pausedSince(clock))) {
    const account = await accounts.byId(id)
    const pauses = account ? await pausesOf(service, account) : []
    if (account && pauses.length > 0) paused.push({ account, pauses })
  }
  return paused
}

export function inWords({ of, network, until }: Pause): string {
  return `${of}${network ? ` from ${network}` : ''} until ${until}`
}

const LIST_EXAMPLES = `
Examples:
  keyturn users list
  keyturn users list --search @example.com --limit 500
  keyturn users list --disabled --json`

export function registerList(users: Command): void {
  users
    .command('list')
    .description('list accounts, sorted by name')
    .option('--search <text>', 'only accounts with this text in their name or address')
    .option('--disabled', 'only disabled accounts')
    .option('--after <username>', 'start after this name')
    .option('--limit <number>', 'how many accounts at most', wholeNumber(1, 100_000), 100)
    .addHelpText('after', LIST_EXAMPLES)
    .action((options, command: Command) =>
      withExistingService(async ({ db, factors }) => {
        const { search, disabled, limit } = options
        const after = options.after === undefined ? '' : usernameKey(options.after)
        const found = await listAccounts(db, { after, search, disabled, limit: limit + 1 })
        const page = found.slice(0, limit)
        const json = await listed(db, factors, page)
        answer(command, { json, text: columns([HEADER, ...json.map(row)]) })
        if (found.length > limit) console.error(`There are more: --after ${page.at(-1)?.username}`)
      }),
    )
}

const HEADER = ['USERNAME', 'SECOND FACTOR', 'STATE', 'CREATED', 'ADDRESS']

type Listed = Awaited<ReturnType<typeof listed>>[number]

function row({ created_at, disabled, email, email_verified, second_factor, username }: Listed): string[] {
  return [
    username,
    second_factor ?? '-',
    disabled ? 'disabled' : 'enabled',
    created_at.slice(0, 10),
    email ? `${email}${email_verified ? '' : ' (not proven)'}` : '-',
  ]
}

async function listed(db: Db, factors: Factors, accounts: readonly ListedAccount[]) {
  const factorOf = new Map<string, string>()
  for (const ids of batchesOf(accounts.map(({ id }) => id))) {
    // Shows the first factor of an account, in the order of the registry.
    for (const { method, activeAmong } of factors.all)
      for (const id of await activeAmong(db, ids)) if (!factorOf.has(id)) factorOf.set(id, method)
  }
  return accounts.map((account) => ({
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.email_verified_at !== null,
    second_factor: factorOf.get(account.id) ?? null,
    disabled: account.disabled_at !== null,
    created_at: rfc3339(account.created_at),
  }))
}

const SHOW_EXAMPLES = `
Examples:
  keyturn users show ada
  keyturn users show 0199f3a2-5c1e-7d3b-9a44-2f1f6a0c7be1 --json`

export function registerShow(users: Command): void {
  users
    .command('show')
    .description('show one account: its factors, sessions and pauses')
    .argument('<user>', 'username or id')
    .addHelpText('after', SHOW_EXAMPLES)
    .action((user: string, _options, command: Command) =>
      withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        const json = await describe(service, account)
        const text = columns(
          Object.entries({ ...json, pauses: json.pauses.map(inWords) }).map(([name, value]) => [
            name,
            String(value ?? '') || '-',
          ]),
        )
        answer(command, { json, text })
      }),
    )
}

async function describe(service: Service, account: Account) {
  const { attempts, db, factors, sessions } = service
  const known = await factors.of(db, account)
  const shown = []
  for (const factor of factors.all) shown.push(await factor.show(db, account, known.state(factor)))
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.emailVerified,
    disabled: account.disabled,
    roles: account.roles,
    created_at: rfc3339(account.createdAt),
    password_set_at: rfc3339(account.passwordSetAt),
    password_hash: schemeOf(account.passwordHash),
    ...Object.assign({}, ...shown),
    owes_enrolment_code: known.owesEnrolmentCode,
    pauses: await pausesOf(service, account),
    closed_factors: await attempts.closed(db, account.id),
    sessions: (await sessions.list(account.id)).length,
  }
}

/** An account whose hash cannot be read is one that has to be looked at. */
function schemeOf(passwordHash: string): string {
  try {
    return readStoredHash(passwordHash).scheme
  } catch (error) {
    return `unreadable: ${(error as Error).message}`
  }
}

const EXAMPLE = `
Example:
  keyturn users paused`

export function registerPaused(users: Command): void {
  users
    .command('paused')
    .description('list the accounts that are paused after wrong passwords or codes, and from where')
    .addHelpText('after', EXAMPLE)
    .action((_options, command: Command) =>
      withExistingService(async (service) => {
        const paused = await pausedAccounts(service)
        if (paused.length === 0 && !command.optsWithGlobals().json) console.error('No account is paused.')
        answer(command, {
          json: paused.map(({ account: { id, username }, pauses }) => ({ id, username, pauses })),
          text: columns(
            paused.map(({ account, pauses }) => [account.username, pauses.map(inWords).join(', ')]),
          ),
        })
      }),
    )
}
