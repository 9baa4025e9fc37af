import { reserveHashThreads } from './crypto/thread-pool.ts'
import { readEnvFile } from './platform/env-file.ts'

// Without a listener Node.js opens its inspector at this signal, and a debugger that connects can run any code here.
process.on('SIGUSR1', () => {})

readEnvFile()

// Before anything else is loaded: libuv sizes its thread pool when the first work reaches it.
const hashThreads = reserveHashThreads(process.env)

const { main } = await import('./main.ts')
await main({ hashThreads })
