import { reserveHashThreads } from '../crypto/thread-pool.ts'
import { readEnvFile } from '../platform/env-file.ts'

readEnvFile()

// Whoever reads has read enough: `keyturn audit | head`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))
// The exit code says the rest: `keyturn 2>&1 | head`.
process.stderr.on('error', () => {})

// Before anything else is loaded: libuv sizes its thread pool when the first work reaches it.
reserveHashThreads(process.env)
const { runCommandLine } = await import('./command-line.ts')
process.exitCode = await runCommandLine(process.argv)
