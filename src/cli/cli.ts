import { reserveHashThreads } from '../crypto/thread-pool.ts'
import { readEnvFile } from '../platform/env-file.ts'

readEnvFile()

// The reader of a pipe has read enough: `keyturn audit | head`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))
// The exit code still reports failure: `keyturn 2>&1 | head`.
process.stderr.on('error', () => {})

// Before anything else is loaded: libuv sets the size of its thread pool at its first work.
reserveHashThreads(process.env)
const { runCommandLine } = await import('./command-line.ts')
process.exitCode = await runCommandLine(process.argv)
