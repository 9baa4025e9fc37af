import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Lanes: a few processes that take test files from one queue, each file when the one before it is done. A process that
 * is warm starts a service in a quarter of the time that a new one takes.
 */

/** The name of the variable that tells a lane where the queue is. */
const FOLDER_VARIABLE = 'TEST_LANES'

/** More than processors: many tests wait for processes of their own. */
const LANES = availableParallelism() + 1

/** It has a process of its own, since it changes what others share. */
const ALONE: readonly string[] = ['test/factors/every-factor.test.ts']

/** They take longest and begin first, so that no lane is left with one of them while the others have nothing to do. */
const FIRST: readonly string[] = [
  'test/mutants/mutants.long.test.ts',
  'test/faults/kill.long.test.ts',
  'test/security/fuzzed-requests.long.test.ts',
  'test/cli/import-many.long.test.ts',
  'test/e2e/app-examples.long.test.ts',
  'test/e2e/single-page-app.long.test.ts',
  'test/e2e/swagger-ui.long.test.ts',
  'test/start.test.ts',
  'test/cli/every-command.test.ts',
  'test/e2e/swagger-ui.test.ts',
  'test/e2e/passkeys.test.ts',
]

/** As many files as this are run as `npx tap` runs them, each in a process of its own. */
const FEW = 2

/** What a tap run is started with. */
export interface Lanes {
  arguments: string[]
  environment: Record<string, string>
  /** Everything that the tests write, to be removed after them. */
  folder: string
}

export function makeLanes(files: readonly string[]): Lanes {
  const folder = mkdtempSync(join(scratch(), 'keyturn-tests-'))
  // Some tests run programs as another user, who has to get at their files.
  chmodSync(folder, 0o755)
  const environment = {
    NODE_COMPILE_CACHE: resolve('node_modules/.cache/node'),
    TMPDIR: folder,
    [FOLDER_VARIABLE]: folder,
  }
  if (files.length <= FEW) return { arguments: [...files], environment, folder }
  const alone = files.filter((file) => ALONE.includes(file))
  const shared = files.filter((file) => !ALONE.includes(file) && !FIRST.includes(file))
  const queue = [...FIRST.filter((file) => files.includes(file)), ...shared]
  writeFileSync(join(folder, 'files'), queue.join('\n'))
  mkdirSync('.tap/lanes', { recursive: true })
  const names = Array.from(
    { length: Math.min(LANES, files.length) },
    (_, index) => `.tap/lanes/${index + 1}.mjs`,
  )
  const [standIns, lane] = ['stand-ins.ts', 'lane.ts'].map((name) => new URL(name, import.meta.url))
  for (const name of names) writeFileSync(name, `import '${standIns}'\nawait import('${lane}')\n`)
  // A lane gives each file its time itself.
  return {
    arguments: [
      `--jobs=${names.length}`,
      '--timeout=0',
      '--node-arg=--max-semi-space-size=32',
      ...names,
      ...alone,
    ],
    environment,
    folder,
  }
}

/** Takes the next file of the queue; `undefined` when none is left. */
export function nextFile(): string | undefined {
  const folder = process.env[FOLDER_VARIABLE] as string
  const files = readFileSync(join(folder, 'files'), 'utf8').split('\n')
  return files.find((_, index) => take(join(folder, String(index))))
}

/** Of all who try, one makes the file. */
function take(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'))
    return true
  } catch {
    return false
  }
}

/** In memory where there is room: what tests write need not survive them, and is not worth waiting for a disk. */
function scratch(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > 2 ** 31 ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}
