import { registerHooks } from 'node:module'

// Runs the service, and in the end prints each module that it loaded, by its path within this project.
const loaded: string[] = []
registerHooks({
  load(url, context, next) {
    loaded.push(url.replace(/^.*\/(node_modules|src)\//, ''))
    return next(url, context)
  },
})
process.on('exit', () => console.log(loaded.join('\n')))
await import('../../../src/server.ts')
