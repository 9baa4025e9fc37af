import type { Command } from 'commander'
import { usernameKey } from '../../../accounts/username.ts'
import { rfc3339 } from '../../../platform/clock.ts'
import { type ListedAccount, listAccounts } from '../../store.ts'
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
      withExistingService(async ({ db }) => {
        const { search, disabled, limit } = options
        const after = options.after === undefined ? '' : usernameKey(options.after)
        const found = await listAccounts(db, { after, search, disabled, limit: limit + 1 })
        const page = found.slice(0, limit)
        answer(command, { json: page.map(describe), text: columns([HEADER, ...page.map(row)]) })
        if (found.length > limit) console.error(`There are more: --after ${page.at(-1)?.username}`)
      }),
    )
}

const HEADER = ['USERNAME', 'SECOND FACTOR', 'STATE', 'CREATED', 'ADDRESS']

function row(account: ListedAccount): string[] {
  const { username, second_factor, disabled, email, email_verified } = describe(account)
  return [
    username,
    second_factor ?? '-',
    disabled ? 'disabled' : 'open',
    rfc3339(account.created_at).slice(0, 10),
    email ? `${email}${email_verified ? '' : ' (not proven)'}` : '-',
  ]
}

function describe(account: ListedAccount) {
  const byMail = account.email_factor_at === null ? null : 'email'
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.email_verified_at !== null,
    second_factor: account.totp_confirmed_at === null ? byMail : 'totp',
    disabled: account.disabled_at !== null,
    created_at: rfc3339(account.created_at),
  }
}
