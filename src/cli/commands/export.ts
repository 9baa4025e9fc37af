import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { countAccounts, type ListedAccount, listAccountsById } from '../../accounts/list-accounts.ts'
import type { SecretBox } from '../../crypto/secret-box.ts'
import { owingAmong } from '../../factors/enrolment-code.ts'
import type { Factor, PortableSecrets } from '../../factors/factor.ts'
import { factors as allFactors } from '../../factors/registry.ts'
import { rfc3339 } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { atFirstUse } from '../../platform/packages.ts'
import { rolesIn } from '../../values/roles.ts'
import { recordOperation } from '../operator.ts'
import { openBox, withExistingDatabase } from '../surroundings.ts'
import { answer, counted, Misused, print, showProgress, writePrivateFile } from '../terminal.ts'

const PAGE_SIZE = 500

/** Secrets that are written in addition to what an operator can see anyway. */
interface Secrets {
  passwordHashes: boolean
  /** The factors whose secrets are written. */
  factors: readonly Factor[]
}

/** The box is asked for where a secret is opened: all else needs no right `SECRET_KEY`. */
interface ExportSource {
  db: Db
  openBox(): Promise<SecretBox>
}

/** The members of one line, under the names that an import reads. */
type ExportedAccount = Partial<Record<string, string | boolean | null | string[]>>

/**
 * Every account, oldest first, a page at a time.
 *
 * @throws {UnsealError} when a secret opens under none of the keys.
 */
async function* exportAccounts(source: ExportSource, secrets: Secrets): AsyncGenerator<ExportedAccount[]> {
  for (let after = ''; ; ) {
    const page = await listAccountsById(source.db, after, PAGE_SIZE)
    const last = page.at(-1)
    if (!last) return
    yield withSecrets(source, page, secrets)
    after = last.id
  }
}

async function withSecrets(
  source: ExportSource,
  page: readonly ListedAccount[],
  { passwordHashes, factors }: Secrets,
): Promise<ExportedAccount[]> {
  const ids = page.map(({ id }) => id)
  const owing = await owingAmong(source.db, ids)
  const exported: ExportedAccount[] = page.map((row) => ({
    id: row.id,
    username: row.username,
    email: row.email,
    email_verified: row.email_verified_at !== null,
    disabled: row.disabled_at !== null,
    created_at: rfc3339(row.created_at),
    roles: rolesIn(row.roles),
    ...(passwordHashes && { password_hash: row.password_hash }),
  }))
  const fields = factors.map(({ portable }) => Object.keys(portable?.fields ?? {})[0] ?? '')
  for (const [index, { portable }] of factors.entries()) {
    const field = fields[index] as string
    const values = await portable?.export({ db: source.db, box: await source.openBox() }, ids)
    for (const account of exported) account[field] = values?.get(String(account.id)) ?? null
  }
  // Whose passkeys stay behind, and come with no other factor: else the password alone would enrol one there.
  const phishingResistant = allFactors.filter((factor) => factor.phishingResistant)
  const active = await Promise.all(phishingResistant.map(({ activeAmong }) => activeAmong(source.db, ids)))
  for (const account of exported) {
    const id = String(account.id)
    const bereft = active.some((among) => among.has(id)) && !fields.some((field) => account[field])
    if (owing.has(id) || bereft) account.enrolment_code_required = true
  }
  return exported
}

const ABOUT = `
Only its owner can read the file. It leaves out passkeys, recovery codes, sessions and factors by mail: to move a
whole service to another database, use keyturn copy.

Examples:
  keyturn export accounts.jsonl
  keyturn export accounts.jsonl --with-password-hashes --with-totp-secrets
  keyturn export - | jq -r .email`

const HASHES_WARNING =
  'The file has password hashes: anyone who gets it can try passwords as fast as they like.'

export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .description('export all accounts as JSON Lines, which keyturn import reads')
    .argument('<file>', 'a new file; - for stdout')
    .option('--with-password-hashes', 'include the hashes of passwords')
  for (const { portable } of allFactors) if (portable) command.addOption(optionOf(portable))
  command
    .addHelpText('after', ABOUT)
    .action(async (file: string, options: Record<string, unknown>, command: Command) => {
      const secrets: Secrets = {
        passwordHashes: options.withPasswordHashes === true,
        factors: allFactors.filter(({ portable }) => portable && options[optionOf(portable).attributeName()]),
      }
      if (file === '-' && command.optsWithGlobals().json)
        throw new Misused('On stdout it writes JSON Lines: leave --json out.')
      if (secrets.passwordHashes) console.error(HASHES_WARNING)
      for (const { portable } of secrets.factors) console.error(portable?.option.warning)
      await withExistingDatabase(async (db, config) => {
        const source = { db, openBox: atFirstUse(() => openBox(config, db)) }
        if (file === '-') {
          await write(source, secrets, writeToStdout)
          return
        }
        const accounts = await writePrivateFile(file, (writeText) => write(source, secrets, writeText))
        answer(command, {
          json: { file, accounts },
          text: `${counted(accounts, 'account')} written to ${file}.`,
        })
      })
    })
}

/** The option that asks for the secrets of a factor. */
const optionOf = ({ option }: PortableSecrets) => new Option(option.flag, option.description)

/** @returns how many accounts were written. */
async function write(
  source: ExportSource,
  secrets: Secrets,
  writeText: (text: string) => Promise<void>,
): Promise<number> {
  const { db } = source
  const kinds = [
    ...(secrets.passwordHashes ? ['password'] : []),
    ...secrets.factors.map(({ method }) => method),
  ]
  const progress = showProgress('Exporting', await countAccounts(db))
  let accounts = 0
  try {
    const pages = exportAccounts(source, secrets)
    // A wrong SECRET_KEY fails here.
    let page = await pages.next()
    // Recorded before the first secret is written: an export that is stopped half way has revealed secrets too.
    await recordOperation(db, 'accounts_exported', kinds.join(' ') || undefined)
    for (; !page.done; page = await pages.next()) {
      await writeText(page.value.map((account) => `${JSON.stringify(account)}\n`).join(''))
      accounts += page.value.length
      progress.advance(page.value.length)
    }
    return accounts
  } finally {
    progress.end()
  }
}

async function writeToStdout(text: string): Promise<void> {
  if (!print(text)) await once(process.stdout, 'drain')
}
