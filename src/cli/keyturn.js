#!/usr/bin/env node
// Plain JavaScript that old versions of Node.js read too, so that they can say what is missing. A checkout runs the
// TypeScript next to this file; the package has it as JavaScript in dist/, since Node.js strips no types in node_modules.
import { existsSync, readFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
const { engines } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const oldest = engines.node.replace('>=', '')
if (process.versions.node.localeCompare(oldest, 'en', { numeric: true }) < 0) {
  console.error(`Keyturn needs Node.js ${oldest} or newer; this is ${process.version}.`)
  process.exit(1)
}

// What was compiled at the last start is not compiled again, nor stripped of its types. The cache is kept with the code:
// writing it takes the rights that changing the code takes. Where it cannot be written, it is only read. The service is
// ready after 0.66 times the time and 0.73 times the CPU, and takes 140 MiB instead of 159:
// `node test/bench/cleverness.ts compile-cache` measures it.
//
// `npm start` and the image give --max-semi-space-size=8, which halves V8's young generation: Node.js takes 32 MiB for it
// otherwise, and only the command line can set it. At most 209 MiB are used instead of 234, and no route takes more CPU:
// `node test/bench/cleverness.ts semi-space` measures it.
nodeModule.enableCompileCache(fileURLToPath(new URL('node_modules/.cache/keyturn', root)))

const [code, extension] = existsSync(new URL('cli.ts', import.meta.url))
  ? [new URL('src/', root), 'ts']
  : [new URL('dist/src/', root), 'js']
// The service needs nothing of the command line: its start does not load it.
const serves = process.argv[2] === 'serve' && process.argv.length === 3
await import(new URL(`${serves ? 'server' : 'cli/cli'}.${extension}`, code).href)
nodeModule.flushCompileCache()
