import { once } from 'node:events'
import type { Command } from 'commander'
import type { Dependencies } from '../../dependencies.ts'
import { exportAccounts, type Secrets } from '../export-accounts.ts'
import { recordOperation } from '../record-operation.ts'
import { countAccounts } from '../store.ts'
import { withExistingService } from '../surroundings.ts'
import { answer } from '../terminal/answer.ts'
import { Misused } from '../terminal/failures.ts'
import { writePrivateFile } from '../terminal/private-file.ts'
import { showProgress } from '../terminal/progress.ts'

const ABOUT = `
The file is new, and its owner alone can read it. Recovery codes, sessions and factors by mail are not in it: to
move a whole service to another database there is "keyturn copy".

Examples:
  keyturn export accounts.jsonl
  keyturn export accounts.jsonl --with-password-hashes --with-totp-secrets
  keyturn export - | jq -r .email`

const WARNINGS = {
  passwordHashes: 'The file has password hashes: whoever gets it can try passwords as fast as they like.',
  totpSecrets: 'The file has the secrets of authenticators in clear: whoever gets it can make their codes.',
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write the accounts as JSON Lines, which import reads')
    .argument('<file>', 'a new file; - for stdout')
    .option('--with-password-hashes', 'with the hashes of their passwords')
    .option('--with-totp-secrets', 'with the secrets of their authenticators')
    .addHelpText('after', ABOUT)
    .action(async (file: string, options, command: Command) => {
      const secrets: Secrets = {
        passwordHashes: options.withPasswordHashes === true,
        totpSecrets: options.withTotpSecrets === true,
      }
      if (file === '-' && command.optsWithGlobals().json)
        throw new Misused('What comes on stdout is JSON Lines without --json.')
      for (const name of ['passwordHashes', 'totpSecrets'] as const)
        if (secrets[name]) console.error(WARNINGS[name])
      await withExistingService(async (service) => {
        if (file === '-') await write(service, secrets, writeToStdout)
        else
          await writePrivateFile(file, async (writeText) => {
            const accounts = await write(service, secrets, writeText)
            answer(command, { json: { file, accounts }, text: `${accounts} accounts written to ${file}.` })
          })
      })
    })
}

/** @returns how many accounts were written. */
async function write(
  service: Dependencies,
  secrets: Secrets,
  writeText: (text: string) => Promise<void>,
): Promise<number> {
  const { db } = service
  // Before the first secret leaves: whoever stops the export half way has them all the same.
  const factors = [secrets.passwordHashes && 'password', secrets.totpSecrets && 'totp'].filter(Boolean)
  await recordOperation(db, 'accounts_exported', factors.join(' ') || undefined)
  const progress = showProgress('Exporting', await countAccounts(db))
  let accounts = 0
  try {
    for await (const page of exportAccounts(service, secrets)) {
      await writeText(page.map((account) => `${JSON.stringify(account)}\n`).join(''))
      accounts += page.length
      progress.advance(page.length)
    }
    return accounts
  } finally {
    progress.end()
  }
}

async function writeToStdout(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
