import type { Command } from 'commander'
import { inTransaction } from '../../../platform/database.ts'
import { exportPerson } from '../../export-person.ts'
import { findAccount } from '../../find-account.ts'
import { operatorCaller } from '../../operator.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { writePrivateFile } from '../../terminal/private-file.ts'

const ABOUT = `
Passwords, codes, keys and their hashes are left out. What the log of the service and backups hold is not in it.

Examples:
  keyturn users export ada ada.json
  keyturn users export ada | jq .sessions`

export function registerExportOne(users: Command): void {
  users
    .command('export')
    .description('write everything that is kept about one account as JSON')
    .argument('<user>', 'username or id')
    .argument('[file]', 'a new file, which its owner alone can read; stdout when it is left out')
    .addHelpText('after', ABOUT)
    .action((user: string, file: string | undefined, _options, command: Command) =>
      withExistingService(async (service) => {
        const { accounts, db, trail } = service
        const account = await findAccount(accounts, user)
        // Before anything leaves, and so that it is in what leaves.
        await inTransaction(db, (trx) => trail.record(trx, 'account_exported', { account }, operatorCaller()))
        const text = `${JSON.stringify(await exportPerson(service, account), null, 2)}\n`
        if (file === undefined) {
          process.stdout.write(text)
          return
        }
        await writePrivateFile(file, (write) => write(text))
        const { id, username } = account
        answer(command, {
          json: { id, username, file },
          text: `What is kept about ${username} is in ${file}.`,
        })
      }),
    )
}
