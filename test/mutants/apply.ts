import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutants.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Neither what is installed, which the copy shares, nor what tests, services and editors leave. */
const NOT_COPIED = /^(node_modules|data|\..*)$/

/** A copy of this repository to break. */
export interface Copy {
  /**
   * Breaks the copy, runs the test that must notice, and mends it again.
   *
   * @returns `undefined` when the test has failed, and otherwise what happened in its place.
   * @throws {Error} when the text to replace does not occur as often as it should.
   */
  survives(mutant: Mutant): Promise<string | undefined>
  remove(): void
}

export function makeCopy(): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-mutants-'))
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (path) => path === ROOT || !NOT_COPIED.test(basename(path)),
  })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))

  return {
    async survives({ file, find, times = 1, replace, test, title, engine }) {
      const path = join(folder, file)
      const sound = readFileSync(path, 'utf8')
      const found = sound.split(find).length - 1
      if (found !== times) throw new Error(`${file} has this ${found} times: ${find}`)
      writeFileSync(
        path,
        sound.replaceAll(find, () => replace),
      )
      try {
        const output = await run(folder, test, title, engine)
        const results = output.split('\n').filter((line) => /^(not )?ok \d+ - /.test(line))
        const named = results.filter((line) => line.replace(/ # time=.*/, '').endsWith(` - ${inTap(title)}`))
        if (named.some((line) => line.startsWith('not ok '))) return undefined
        return named.length > 0 ? 'the test passed' : `the test did not run:\n${output.slice(-2000)}`
      } finally {
        writeFileSync(path, sound)
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** As tap prints titles. */
const inTap = (title: string) => title.replaceAll('\\', '\\\\').replaceAll('#', '\\#')

/** Runs the test with this title alone. @returns its TAP, and what else it said. */
async function run(folder: string, test: string, title: string, engine = 'sqlite'): Promise<string> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, test], {
    cwd: folder,
    env: {
      PATH,
      NODE_COMPILE_CACHE,
      TMPDIR: tmpdir(),
      TAP_GREP: `/^${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$/`,
      TAP_TIMEOUT: '60',
      TEST_DATABASE: engine,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  await new Promise((resolve) => child.once('close', resolve))
  return output
}
