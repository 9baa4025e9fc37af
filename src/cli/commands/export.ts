import { once } from 'node:events'
import type { Command } from 'commander'
import { countAccounts } from '../../accounts/list-accounts.ts'
import { factors } from '../../factors/registry.ts'
import { atFirstUse } from '../../platform/at-first-use.ts'
import { type ExportSource, exportAccounts, type Secrets } from '../export-accounts.ts'
import { recordOperation } from '../record-operation.ts'
import { openBox, withExistingDatabase } from '../surroundings.ts'
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

const HASHES_WARNING =
  'The file has password hashes: anyone who gets it can try passwords as fast as they like.'

export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .description('write the accounts as JSON Lines, which import reads')
    .argument('<file>', 'a new file; - for stdout')
    .option('--with-password-hashes', 'with the hashes of their passwords')
  for (const { portable } of factors)
    if (portable) command.option(portable.option.flag, portable.option.description)
  command
    .addHelpText('after', ABOUT)
    .action(async (file: string, options: Record<string, unknown>, command: Command) => {
      const secrets: Secrets = {
        passwordHashes: options.withPasswordHashes === true,
        factors: factors.filter(({ portable }) => portable && options[optionName(portable.option.flag)]),
      }
      if (file === '-' && command.optsWithGlobals().json)
        throw new Misused('What comes on stdout is JSON Lines without --json.')
      if (secrets.passwordHashes) console.error(HASHES_WARNING)
      for (const { portable } of secrets.factors) console.error(portable?.option.warning)
      await withExistingDatabase(async (db, config) => {
        const source = { db, openBox: atFirstUse(() => openBox(config, db)) }
        if (file === '-') await write(source, secrets, writeToStdout)
        else
          await writePrivateFile(file, async (writeText) => {
            const accounts = await write(source, secrets, writeText)
            answer(command, { json: { file, accounts }, text: `${accounts} accounts written to ${file}.` })
          })
      })
    })
}

/** The property of an option in Commander: `--with-totp-secrets` is `withTotpSecrets`. */
function optionName(flag: string): string {
  return flag.replace(/^--/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** @returns how many accounts were written. */
async function write(
  source: ExportSource,
  secrets: Secrets,
  writeText: (text: string) => Promise<void>,
): Promise<number> {
  const { db } = source
  // Recorded before the first secret is written: an export that is stopped half way has revealed secrets too.
  const kinds = [
    ...(secrets.passwordHashes ? ['password'] : []),
    ...secrets.factors.map(({ method }) => method),
  ]
  await recordOperation(db, 'accounts_exported', kinds.join(' ') || undefined)
  const progress = showProgress('Exporting', await countAccounts(db))
  let accounts = 0
  try {
    for await (const page of exportAccounts(source, secrets)) {
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
