// Runs one of the tools of .ci/package.json, and installs them where that has not been done:
//   node .ci/tool.js biome check .
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const changed = (path) => statSync(`${here}${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0

// npm writes this file last.
if (changed('node_modules/.package-lock.json') < changed('package-lock.json'))
  run('npm', ['ci', '--prefix', here])

const [name, ...parameters] = process.argv.slice(2)
run(`${here}node_modules/.bin/${name}`, parameters)

function run(program, parameters) {
  const { status, error } = spawnSync(program, parameters, { stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}
