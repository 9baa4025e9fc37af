import { accessSync, constants, createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { FIELDS, type FieldMap, type ReadRecord, readFieldMap } from '../import/fields.ts'
import { type FlaskColumns, openFlaskTable } from '../import/flask.ts'
import { readCsv, readJsonLines } from '../import/read-file.ts'
import { describeReport, type HandedCode, runImport } from '../import/run-import.ts'
import { configOfRehearsal, withService } from '../surroundings.ts'
import { answer, CommandFailed, columns, Misused, openPrivateFile } from '../terminal.ts'

const FORMATS = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv' } as const
type Format = 'jsonl' | 'csv'

const ABOUT = `
Without --apply nothing is changed: you see what would be taken, and what not and why. With it, nothing is taken
while anything is refused, unless you say --skip-refused. Accounts whose name is there already are left as they
are, so the same command can be run again. People keep their password and their authenticator.

Names of members or columns:
${columns(Object.entries(FIELDS).map(([name, meaning]) => [`  ${name}`, meaning]))}

Examples:
  keyturn import users.jsonl
  keyturn import users.csv --map username=login --map password_hash=pw --ignore last_seen --apply
  keyturn import flask instance/app.db`

const ABOUT_FLASK = `
Reads the usual tables: users(username, password, is_two_factor_authentication_enabled, secret_token, …) with
hashes of Flask-Bcrypt, user(username, password_hash, totp_secret or otp_secret or secret, …) with hashes of
Werkzeug. The file is only read, and the app may run meanwhile.

Examples:
  keyturn import flask instance/app.db
  keyturn import flask app.db --table member --password pw --totp otp_key --apply`

interface Options {
  apply?: boolean
  skipRefused?: boolean
  enrolmentCodes?: string
}
type FileOptions = Options & { format?: Format; delimiter: string; map: string[]; ignore: string[] }
type FlaskOptions = Options & FlaskColumns & { longPasswords?: boolean }

export function registerImport(program: Command): void {
  const collect = (value: string, before: string[]) => [...before, value]
  const imported = program
    .command('import')
    .description('take accounts from elsewhere, with their passwords and authenticators')

  withImportOptions(imported.command('file', { isDefault: true }))
    .description('take accounts from a file; the word "file" may be left out')
    .argument('<file>', 'JSON Lines or CSV; - for stdin')
    .addOption(new Option('--format <format>', 'when the name does not tell').choices(['jsonl', 'csv']))
    .option('--delimiter <character>', 'between the columns of CSV', ',')
    .option('--map <ours=theirs>', 'what a member or column is called there', collect, [])
    .option('--ignore <theirs>', 'a member or column to leave out', collect, [])
    .addHelpText('after', ABOUT)
    .action(async (file: string, options: FileOptions, command: Command) => {
      const fields = readFieldMap(options.map, options.ignore)
      const format = formatOf(file, options)
      requireFile(file)
      await take(command, options, () => readRecords(file, format, options, fields))
    })

  withImportOptions(imported.command('flask'))
    .description('take the accounts of a Flask app from its SQLite file')
    .argument('<file>', 'the SQLite file')
    .option('--table <name>', 'where the users are')
    .option('--username <column>', 'what they sign in with')
    .option('--password <column>', 'the hash of their password')
    .option('--totp <column>', 'the secret of their authenticator')
    .option('--enabled <column>', 'whether the authenticator was ever confirmed')
    .option('--email <column>', 'their address')
    .option('--created-at <column>', 'since when they are there')
    .option('--long-passwords', 'the app had BCRYPT_HANDLE_LONG_PASSWORDS')
    .addHelpText('after', ABOUT_FLASK)
    .action(async (file: string, { longPasswords = false, ...options }: FlaskOptions, command: Command) => {
      const table = openFlaskTable(file, options, { longPasswords })
      const found = Object.entries(table.columns).map(([what, column]) => `${what}=${column}`)
      console.error(`Reading the table ${table.name}: ${found.join(', ')}`)
      await take(command, options, table.records).finally(table.close)
    })
}

function withImportOptions(command: Command): Command {
  return command
    .option('--apply', 'do it; without this it is a rehearsal')
    .option('--dry-run', 'a rehearsal, which is what happens without --apply')
    .option(
      '--enrolment-codes <file>',
      'with --apply: accounts without an authenticator owe a code for their first one; writes username,code to a new file',
    )
    .option('--skip-refused', 'with --apply: take the others when some are refused')
}

async function take(
  command: Command,
  { apply = false, skipRefused = false, enrolmentCodes, ...others }: Options & { dryRun?: boolean },
  records: () => AsyncIterable<ReadRecord>,
): Promise<void> {
  if (apply && others.dryRun) throw new Misused('--apply and --dry-run are opposites.')
  if (enrolmentCodes !== undefined && !apply) throw new Misused('--enrolment-codes needs --apply.')
  const config = apply ? readConfig(process.env) : configOfRehearsal()
  await withService(async (service) => {
    const codes = enrolmentCodes === undefined ? null : await openCodes(enrolmentCodes)
    const report = await runImport(service, records(), {
      ...{ apply, skipRefused },
      ...(codes && { hand: codes.write }),
    }).finally(codes?.close)
    if (report.records === 0) throw new CommandFailed('There are no accounts in it.')
    answer(command, { json: report, text: describeReport(report) })
    if (report.refused.length > 0 && !report.applied) process.exitCode = 1
  }, config)
}

/** What was written stays when the import fails: some accounts are made by then, and their codes are nowhere else. */
async function openCodes(path: string) {
  const file = await openPrivateFile(path)
  await file.appendFile('username,enrolment_code\n')
  async function write(codes: readonly HandedCode[]): Promise<void> {
    await file.appendFile(codes.map(({ username, code }) => `${username},${code}\n`).join(''))
    await file.sync()
  }
  return { write, close: () => file.close() }
}

function formatOf(file: string, { format }: FileOptions): Format {
  const found = format ?? FORMATS[extname(file).toLowerCase() as keyof typeof FORMATS]
  if (!found) throw new Misused(`Say with --format whether ${file} is jsonl or csv.`)
  return found
}

/** Checked before a database is opened, which would create one. */
function requireFile(file: string): void {
  if (file === '-') return
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) throw new CommandFailed(`There is no file ${file}.`)
  if (found.isDirectory()) throw new CommandFailed(`${file} is a folder.`)
  try {
    accessSync(file, constants.R_OK)
  } catch (error) {
    throw new CommandFailed(`The file cannot be read: ${(error as Error).message}.`)
  }
}

function readRecords(
  file: string,
  format: Format,
  { delimiter }: FileOptions,
  fields: FieldMap,
): AsyncIterable<ReadRecord> {
  const stream = file === '-' ? process.stdin : createReadStream(file)
  return format === 'csv' ? readCsv(stream, fields, delimiter) : readJsonLines(stream, fields)
}
