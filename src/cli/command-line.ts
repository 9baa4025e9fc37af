import { Command, CommanderError } from 'commander'
import { AppError } from '../errors.ts'
import { explainFailure } from '../explain-failure.ts'
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
import { CommandFailed, Misused } from './terminal.ts'

const DONE = 0
const FAILED = 1
/** What was typed is not a command, or asks for something that cannot be meant. */
const MISUSED = 2

const AFTER_HELP = `
Settings come from the same environment, or file .env, as those of the service, and it may run meanwhile.
An argument that begins with - goes last, after --.

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
    if (error instanceof Misused) {
      console.error(error.message)
      return MISUSED
    }
    console.error(explain(error))
    return FAILED
  }
}

function makeProgram(): Command {
  const program = new Command('keyturn')
    .description('Runs a Keyturn service and looks after it: its accounts, keys and database.')
    .version(VERSION)
    .option('--json', 'answer in JSON, for programs')
    .option('--yes', 'do not ask before what cannot be taken back')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .showHelpAfterError()
    .addHelpText('after', AFTER_HELP)
  registerCommands(program)
  return program
}

function explain(error: unknown): string {
  if (error instanceof CommandFailed || error instanceof AppError) return error.message
  return explainFailure(error) ?? `This should not happen: ${(error as Error).stack ?? error}`
}

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
