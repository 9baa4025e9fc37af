import { styleText } from 'node:util'
import { Command, CommanderError } from 'commander'
import { readConfig } from '../config.ts'
import { AppError } from '../errors.ts'
import { explainFailure } from '../explain-failure.ts'
import { placeOf } from '../platform/database.ts'
import { VERSION } from '../version.ts'
import { registerAudit } from './commands/audit.ts'
import { registerBackup, registerRestore } from './commands/backup.ts'
import { registerBuildHash } from './commands/build-hash.ts'
import { registerClients } from './commands/clients.ts'
import { registerCopy } from './commands/copy.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExport } from './commands/export.ts'
import { registerImport } from './commands/import.ts'
import { registerInit } from './commands/init.ts'
import { registerKeys } from './commands/keys.ts'
import { registerMails } from './commands/mails.ts'
import { registerMigrate } from './commands/migrate.ts'
import { registerOpenapi } from './commands/openapi.ts'
import { registerServe } from './commands/serve.ts'
import { registerSessions } from './commands/sessions.ts'
import { registerTune } from './commands/tune.ts'
import { registerUsers } from './commands/users/users.ts'
import { CommandFailed, dressed, helpWidth, Misused, print } from './terminal.ts'

const DONE = 0
const FAILED = 1
/** What was typed is not a command, or asks for something that cannot be meant. */
const MISUSED = 2

const AFTER_HELP = `
Every command reads the settings of the service, from the environment and the file .env, and the service may keep running.
Put an argument that begins with - last, after --.

Exit codes: ${DONE} done, ${FAILED} failed, ${MISUSED} not understood.`

/**
 * Runs one command.
 *
 * @param argv as in `process.argv`.
 * @returns its exit code. What the operator can do something about is a sentence on stderr.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(argv)
    return Number(process.exitCode ?? DONE)
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : MISUSED
    console.error(inRed(explain(error)))
    return error instanceof Misused ? MISUSED : FAILED
  }
}

export const inRed = (text: string) => styleText('red', text, { stream: process.stderr })

/** Names what a command has worked on. Its output may be read by a program, so this goes to stderr. */
function nameDatabase(_program: Command, command: Command): void {
  const typed = [command.parent?.name(), command.name()].join(' ').replace(/^keyturn /, '')
  if (!LOOKING.has(typed)) console.error(`Database: ${placeOf(readConfig(process.env).databaseUrl)}`)
}

function makeProgram(): Command {
  const program = new Command('keyturn')
    .description('Runs a Keyturn service and manages its accounts, keys and database.')
    .version(VERSION)
    .option('--json', 'answer in JSON, for programs')
    .option('--yes', 'do not ask for confirmation')
    .configureHelp({ showGlobalOptions: true, helpWidth: helpWidth() })
    .configureOutput({
      writeOut: (text) => print(dressed(text, process.stdout)),
      writeErr: (text) => process.stderr.write(dressed(text, process.stderr)),
      outputError: (text) => process.stderr.write(inRed(text)),
    })
    .hook('postAction', nameDatabase)
    .exitOverride()
    .addHelpText('after', AFTER_HELP)
    .addHelpText('beforeAll', ({ command, error }) => {
      const asked = findTyped(program)
      if (asked !== command) asked.help({ error })
      return ''
    })
  registerCommands(program)
  nameHelpAfterError(program, 'keyturn')
  return program
}

/**
 * The command that help is asked about: `help users list`, `users help list` or `users list --help`. Commander would show
 * the help of the group, also for a command that it does not have.
 */
function findTyped(program: Command): Command {
  let found = program
  for (const word of program.args.filter((word) => word !== 'help')) {
    if (word.startsWith('-') || found.commands.length === 0) break
    const next: Command | undefined = found.commands.find((command) => command.name() === word)
    // keyturn import <file> is short for keyturn import file <file>.
    if (!next && found.name() === 'import') break
    found = next ?? found.error(`error: unknown command '${word}'`)
  }
  return found
}

/** After an error, the help itself would move the error out of a small terminal. */
function nameHelpAfterError(command: Command, typed: string): void {
  command.showHelpAfterError(`See ${typed} --help`)
  for (const one of command.commands) nameHelpAfterError(one, `${typed} ${one.name()}`)
}

function explain(error: unknown): string {
  const meant = [CommandFailed, Misused, AppError].some((kind) => error instanceof kind)
  if (meant) return (error as Error).message
  return explainFailure(error) ?? `This should not happen: ${(error as Error).stack ?? error}`
}

/** The commands that change no row, or have said of which database. */
const LOOKING = new Set([
  ...['users list', 'users show', 'users paused', 'sessions list', 'clients list', 'clients show', 'audit'],
  ...['keys list', 'keys status', 'migrate status', 'backup', 'copy', 'doctor', 'tune', 'mails', 'openapi'],
  ...['serve', 'init', 'build-hash'],
])

/** Every command or group of commands, in the order of the help. */
const COMMANDS = [
  registerServe,
  registerInit,
  registerUsers,
  registerSessions,
  registerClients,
  registerAudit,
  registerImport,
  registerExport,
  registerKeys,
  registerMigrate,
  registerBackup,
  registerRestore,
  registerCopy,
  registerDoctor,
  registerTune,
  registerBuildHash,
  registerMails,
  registerOpenapi,
]

export function registerCommands(program: Command): void {
  for (const register of COMMANDS) register(program)
}
