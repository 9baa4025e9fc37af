import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { nextFile } from './lanes.ts'

/** Runs test files one after the other in this process, each as a test of its own, until the queue is empty. */

/** As long as .taprc gives a file that has a process of its own. */
const PATIENCE_MS = 1_800_000

/** What `import t from 'tap'` is in a test file: the test of that file. */
let current: Test
Object.defineProperty(globalThis, Symbol.for('the test of the file'), { get: () => current })

t.setTimeout(0)
// Node.js opens these when they are first asked for.
void [process.stdout, process.stderr]
const atFirst = running().length
const first = nextFile()
if (first === undefined) t.pass('the other lanes have taken all files')
for (let file = first; file !== undefined; file = nextFile()) {
  const path = file
  await t.test(path, async (t) => {
    t.setTimeout(PATIENCE_MS)
    t.testdirName = resolve('.tap/fixtures', path.replaceAll('/', '-'))
    current = t
    await import(pathToFileURL(path).href)
  })
  await nothingIsLeft(path)
}

/** What would keep this process from ending. */
function running(): string[] {
  return process.getActiveResourcesInfo()
}

/** A file in a process of its own would not end. */
async function nothingIsLeft(path: string): Promise<void> {
  for (let wait = 0; running().length > atFirst; wait += 1) {
    if (wait === 6000) {
      t.fail(`${path} leaves something running: ${running().join(', ')}`)
      process.exit(1)
    }
    await sleep(10)
  }
}
