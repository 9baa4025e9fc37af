import type { Command } from 'commander'
import { inWords, pausedAccounts } from '../../pauses.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer, columns } from '../../terminal/answer.ts'

const EXAMPLE = `
Example:
  keyturn users paused`

export function registerPaused(users: Command): void {
  users
    .command('paused')
    .description('list who cannot sign in for now after wrong passwords or codes, and where from')
    .addHelpText('after', EXAMPLE)
    .action((_options, command: Command) =>
      withExistingService(async (service) => {
        const paused = await pausedAccounts(service)
        answer(command, {
          json: paused.map(({ account: { id, username }, pauses }) => ({ id, username, pauses })),
          text: columns(
            paused.map(({ account, pauses }) => [account.username, pauses.map(inWords).join(', ')]),
          ),
        })
      }),
    )
}
