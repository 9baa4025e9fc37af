import { execFileSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Makes dist/ for the package, as `npm pack` does it first: the JavaScript of src/ and migrations/, in the same folders as
// here, and the types that the plugin shows. A checkout needs none of it.

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync('dist', { recursive: true, force: true })
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
cpSync('.env.example', 'dist/.env.example')
cpSync('src/api/examples.json', 'dist/src/api/examples.json')

const shown = declarationsFrom('dist/src/index.d.ts')
declarationsFrom('dist/src/verify.d.ts', shown)
for (const path of globSync('dist/**/*.d.ts')) if (!shown.has(path)) rmSync(path)

/** A file of types and all that it imports, one from another. */
function declarationsFrom(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const [, from = ''] of readFileSync(path, 'utf8').matchAll(/(?:from|import\() ?'(\.{1,2}\/[^']+)'/g))
    declarationsFrom(join(dirname(path), from.replace(/\.[jt]s$/, '.d.ts')), found)
  return found
}
