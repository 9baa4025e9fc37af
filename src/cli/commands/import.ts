import { accessSync, constants, createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import { type Command, Help, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { FIELDS, type FieldMap, type ReadRecord, readFieldMap } from '../import/fields.ts'
import { type FlaskColumns, openFlaskTable } from '../import/flask.ts'
import { readCsv, readJsonLines } from '../import/read-file.ts'
import { describeReport, type HandedCode, runImport } from '../import/run-import.ts'
import { configOfRehearsal, withService } from '../surroundings.ts'
import { answer, CommandFailed, columns, helpWidth, Misused, openPrivateFile } from '../terminal.ts'

const FORMATS = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv' } as const
type Format = 'jsonl' | 'csv'

/** The fields of a file and what they mean, as wide as the rest of the help. */
function members(): string {
  const widest = Math.max(...Object.keys(FIELDS).map((name) => name.length))
  const width = helpWidth() - widest - 4
  const rows = Object.entries(FIELDS).flatMap(([name, meaning]) =>
    new Help()
      .boxWrap(meaning, width)
      .split('\n')
      .map((line, index) => [index === 0 ? `  ${name}` : '', line]),
  )
  return columns(rows)
}

const ABOUT = `
Without --apply it changes nothing: it shows which accounts it would import, and which it refuses and why. With --apply
it imports nothing if it refuses any account, unless you say --skip-refused. It skips accounts whose name exists already,
so you can run the same command again. People keep their passwords and authenticators.

Members of JSON and columns of CSV:
${members()}

Examples:
  keyturn import users.jsonl
  keyturn import users.csv --map username=login --map password_hash=pw \\
    --ignore last_seen --apply
  keyturn import flask instance/app.db`

const ABOUT_FLASK = `
It reads the usual tables: users(username, password, is_two_factor_authentication_enabled, secret_token, …) with
hashes of Flask-Bcrypt, user(username, password_hash, totp_secret or otp_secret or secret, …) with hashes of
Werkzeug. It only reads the file; the app may keep running.

Examples:
  keyturn import flask instance/app.db
  keyturn import flask app.db --table member --password pw --totp otp_key \\
    --apply`

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
    .description('import accounts with their passwords and authenticators')

  withImportOptions(imported.command('file', { isDefault: true }))
    .description('import accounts from a file; the word "file" may be left out')
    .argument('<file>', 'JSON Lines or CSV; - for stdin')
    .addOption(new Option('--format <format>', 'if the file name does not tell').choices(['jsonl', 'csv']))
    .option('--delimiter <character>', 'what separates CSV columns', ',')
    .option('--map <ours=theirs>', 'our name of a field, and its name in the file', collect, [])
    .option('--ignore <theirs>', 'a field of the file to leave out', collect, [])
    .addHelpText('after', ABOUT)
    .action(async (file: string, options: FileOptions, command: Command) => {
      const fields = readFieldMap(options.map, options.ignore)
      const format = formatOf(file, options)
      requireFile(file)
      await take(command, options, () => readRecords(file, format, options, fields))
    })

  withImportOptions(imported.command('flask'))
    .description('import the accounts of a Flask app from its SQLite file')
    .argument('<file>', 'the SQLite file')
    .option('--table <name>', 'the table with the users')
    .option('--username <column>', 'the name that they sign in with')
    .option('--password <column>', 'the hash of their password')
    .option('--totp <column>', 'the secret of their authenticator')
    .option('--enabled <column>', 'whether the authenticator was ever confirmed')
    .option('--email <column>', 'their address')
    .option('--created-at <column>', 'when the account was created')
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
    .option('--apply', 'import the accounts; without this, it is a dry run')
    .option('--dry-run', 'only show what would happen; this is the default')
    .option(
      '--enrolment-codes <file>',
      'with --apply: write a new file with a code for each account without an authenticator, which needs it to set up one',
    )
    .option('--skip-refused', 'with --apply: import the others if some are refused')
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
    if (report.records === 0) throw new CommandFailed('The file has no accounts in it.')
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
