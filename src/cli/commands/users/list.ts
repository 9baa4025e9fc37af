import type { Command } from 'commander'
import { type ListedAccount, listAccounts } from '../../../accounts/list-accounts.ts'
import type { Factors } from '../../../factors/factors.ts'
import { rfc3339 } from '../../../platform/clock.ts'
import type { Db } from '../../../platform/database.ts'
import { usernameKey } from '../../../values/username.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer, columns } from '../../terminal/answer.ts'
import { wholeNumber } from '../../terminal/arguments.ts'

const EXAMPLES = `
Examples:
  keyturn users list
  keyturn users list --search @example.com --limit 500
  keyturn users list --disabled --json`

export function registerList(users: Command): void {
  users
    .command('list')
    .description('list accounts by name')
    .option('--search <text>', 'those with this in their name or address')
    .option('--disabled', 'the closed ones')
    .option('--after <username>', 'those after this name')
    .option('--limit <number>', 'how many', wholeNumber(1, 100_000), 100)
    .addHelpText('after', EXAMPLES)
    .action((options, command: Command) =>
      withExistingService(async ({ db, factors }) => {
        const { search, disabled, limit } = options
        const after = options.after === undefined ? '' : usernameKey(options.after)
        const found = await listAccounts(db, { after, search, disabled, limit: limit + 1 })
        const page = found.slice(0, limit)
        const json = await describe(db, factors, page)
        answer(command, { json, text: columns([HEADER, ...json.map(row)]) })
        if (found.length > limit) console.error(`There are more: --after ${page.at(-1)?.username}`)
      }),
    )
}

const HEADER = ['USERNAME', 'SECOND FACTOR', 'STATE', 'CREATED', 'ADDRESS']

type Described = Awaited<ReturnType<typeof describe>>[number]

function row({ created_at, disabled, email, email_verified, second_factor, username }: Described): string[] {
  return [
    username,
    second_factor ?? '-',
    disabled ? 'disabled' : 'open',
    created_at.slice(0, 10),
    email ? `${email}${email_verified ? '' : ' (not proven)'}` : '-',
  ]
}

/** Few enough for the parameters of one statement. */
const ACCOUNTS_AT_ONCE = 500

async function describe(db: Db, factors: Factors, accounts: readonly ListedAccount[]) {
  const factorOf = new Map<string, string>()
  for (let from = 0; from < accounts.length; from += ACCOUNTS_AT_ONCE) {
    const ids = accounts.slice(from, from + ACCOUNTS_AT_ONCE).map(({ id }) => id)
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
