import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { listens } from '../programs/free-port.ts'
import { eventually } from '../requests/eventually.ts'
import { codeBlocks, codeNamed, newcomersEnvironment } from './readme.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** The recipes of docs/protect-your-api.md, by the names that they are marked with. */
export const recipeNames = codeBlocks.flatMap(({ path, mark, name }) =>
  path === 'docs/protect-your-api.md' && mark === 'recipe' && name ? [name] : [],
)

/** A marked block as it stands in its document, with the addresses of the test in the place of its own. */
export function recipe(name: string, addresses: Record<string, string>): string {
  const code = codeNamed(name, ['recipe', 'run'])
  return Object.entries(addresses).reduce((whole, [theirs, ours]) => whole.replaceAll(theirs, ours), code)
}

/** A folder that programs of other users can read. */
export function openFolder(t: Test, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-recipe-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o755)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

/** What `npm install keyturn jose express fastify` would bring: the check of tokens as packing makes it, and the rest. */
export function installPackages(folder: string): void {
  const keyturn = `${folder}/node_modules/keyturn`
  mkdirSync(keyturn, { recursive: true })
  const { exports } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'))
  const target = exports['./verify'].default.replace('./dist/', '').replace(/\.js$/, '.ts')
  writeFileSync(`${keyturn}/verify.js`, stripTypeScriptTypes(readFileSync(`${ROOT}/${target}`, 'utf8')))
  writeFileSync(
    `${keyturn}/package.json`,
    JSON.stringify({ name: 'keyturn', type: 'module', exports: { './verify': './verify.js' } }),
  )
  for (const name of ['jose', 'express', 'fastify'])
    symlinkSync(`${ROOT}/node_modules/${name}`, `${folder}/node_modules/${name}`)
}

/** Starts a program of a recipe, which ends with the test, and waits until it listens. */
export async function startRecipe(
  t: Test,
  command: readonly string[],
  { folder, port }: { folder: string; port: number },
): Promise<void> {
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...command], {
    ...{ cwd: folder, env: newcomersEnvironment, stdio: ['ignore', 'ignore', 'pipe'] as const },
  })
  const said = text(child.stderr)
  t.teardown(() => end(child))
  await eventually(`${command[0]} listens`, async () => {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} has ended:\n${await said}`)
    return listens(port)
  })
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  if (child.exitCode === null && child.kill()) await ended
}
