import { Command, CommanderError } from 'commander'
import { AppError } from '../errors.ts'
import { explainFailure } from '../explain-failure.ts'
import { VERSION } from '../version.ts'
import { registerCommands } from './commands/commands.ts'
import { CommandFailed, Misused } from './terminal/failures.ts'

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
