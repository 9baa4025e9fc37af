import './compile-cache.js'
import { flushCompileCache } from 'node:module'
import { reserveHashThreads } from './crypto/thread-pool.ts'
import { readEnvFile } from './platform/env-file.ts'

readEnvFile()

// Before anything else is loaded: libuv sizes its thread pool when the first work reaches it.
const hashThreads = reserveHashThreads(process.env)

const { main } = await import('./main.ts')
await main({ hashThreads })
flushCompileCache()
