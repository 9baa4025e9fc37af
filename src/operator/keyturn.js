#!/usr/bin/env node
// Plain JavaScript that any Node.js reads, so that an old one can be told what is missing. Inside node_modules
// Node.js strips no types by itself: there the same is done here, by the function that it does it with.
import { readFileSync } from 'node:fs'
import nodeModule from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Keyturn needs Node.js 22.18 or newer; this is ${process.version}.`)
  process.exit(1)
}

if (import.meta.url.includes('/node_modules/')) {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (!message.includes('stripTypeScriptTypes')) console.error(`${name}: ${message}`)
  })
  nodeModule.registerHooks({
    load: (url, context, next) =>
      url.startsWith('file:') && url.endsWith('.ts')
        ? {
            format: 'module',
            source: nodeModule.stripTypeScriptTypes(readFileSync(new URL(url), 'utf8')),
            shortCircuit: true,
          }
        : next(url, context),
  })
}

await import('./cli.ts')
