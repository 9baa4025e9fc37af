import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { which } from '../helpers/programs/which.ts'

/** An export is whole, or it is not there: a disk that fills up half way through a write must not go unnoticed. */

const prlimit = which('prlimit')
const MODULE = new URL('../../src/cli/terminal.ts', import.meta.url).href
const SCRIPT = `
  const { writePrivateFile } = await import('${MODULE}')
  await writePrivateFile(process.argv[1], (write) => write('a'.repeat(6000)))`

t.test(
  'a file that did not get all of its text is an error, and gone',
  { skip: !prlimit && 'prlimit is not installed' },
  async (t) => {
    const file = `${t.testdir({})}/export.jsonl`
    const write = (bytes: number) =>
      promisify(execFile)('env', [
        ...['-u', 'NODE_OPTIONS', prlimit ?? '', `--fsize=${bytes}`],
        ...[process.execPath, '--input-type=module', '--eval', SCRIPT, file],
      ])
    await t.rejects(write(4000), /EFBIG/)
    t.equal(existsSync(file), false)
    await write(8000)
    t.equal(existsSync(file), true)
  },
)
