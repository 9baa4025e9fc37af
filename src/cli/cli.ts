import { reserveHashThreads } from '../crypto/thread-pool.ts'
import { readEnvFile } from '../platform/env-file.ts'

readEnvFile()

// The exit code still reports failure: `keyturn 2>&1 | head`.
process.stderr.on('error', () => {})

// Before anything else is loaded: libuv sets the size of its thread pool at its first work.
reserveHashThreads(process.env)
const { inRed, runCommandLine } = await import('./command-line.ts')
const { reasonOf } = await import('./terminal.ts')

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe has read enough: `keyturn audit | head`.
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(inRed(`The output cannot be written: ${reasonOf(error)}.\n`))
  process.exit(1)
})
process.exitCode = await runCommandLine(process.argv)
