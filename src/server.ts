import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { reserveHashThreads } from './crypto/thread-pool.ts'
import { readEnvFile } from './platform/env-file.ts'

readEnvFile()

// Before anything else is loaded: libuv sizes its thread pool when the first work reaches it.
const hashThreads = reserveHashThreads(process.env)

// What was compiled at the last start is not compiled again. Beside the code, where nobody can write who cannot
// change the code; where it cannot be written, it is left out.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/keyturn', import.meta.url)))
const { main } = await import('./main.ts')
await main({ hashThreads })
flushCompileCache()
