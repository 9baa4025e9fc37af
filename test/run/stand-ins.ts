import { registerHooks } from 'node:module'

/** What stands for other modules in a lane. To be loaded before tap. */

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier === 'async-hook-domain') return standIn('./uncaught.ts')
    if (specifier === 'tap' && context.parentURL?.endsWith('.test.ts'))
      return standIn('./test-of-the-file.ts', context.parentURL)
    return nextResolve(specifier, context)
  },
})

function standIn(path: string, query = '') {
  const url = new URL(path, import.meta.url)
  url.search = query
  return { url: url.href, format: 'module-typescript', shortCircuit: true }
}
