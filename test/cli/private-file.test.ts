import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { strace } from '../helpers/faults/strace.ts'
import { which } from '../helpers/programs/which.ts'

/** An export is whole, or it is not there: a disk that fills up half way through a write must not go unnoticed. */

const prlimit = which('prlimit')
const MODULE = new URL('../../src/cli/terminal.ts', import.meta.url).href
const SCRIPT = `
  const { writePrivateFile } = await import('${MODULE}')
  const written = await writePrivateFile(process.argv[1], async (write) => {
    await write('a'.repeat(6000))
    return 'written'
  })
  console.log(written)`

/** Writes the file in a process under another command. */
const writeUnder = (command: string[], file: string) =>
  promisify(execFile)('env', [
    ...['-u', 'NODE_OPTIONS', ...command],
    ...[process.execPath, '--input-type=module', '--eval', SCRIPT, file],
  ])

t.test(
  'a file that did not get all of its text is an error, and gone',
  { skip: !prlimit && 'prlimit is not installed' },
  async (t) => {
    const file = `${t.testdir({})}/export.jsonl`
    const write = (bytes: number) => writeUnder([prlimit ?? '', `--fsize=${bytes}`], file)
    const full = await write(4000).catch((error) => error)
    t.match(full, { code: 1, stdout: '', stderr: /The file .* cannot be written: EFBIG/ })
    t.equal(existsSync(file), false)
    t.match(await write(8000), { stdout: 'written\n' })
    t.equal(existsSync(file), true)
  },
)

t.test(
  'a file that the disk did not take is an error, and gone',
  { skip: !strace && 'strace is not installed' },
  async (t) => {
    const file = `${t.testdir({})}/export.jsonl`
    const fault = ['-f', '-qq', '-P', file, '-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO']
    const refused = await writeUnder([strace ?? '', ...fault], file).catch((error) => error)
    t.match(refused, { code: 1, stdout: '', stderr: /The file .* cannot be written: EIO/ })
    t.equal(existsSync(file), false)
  },
)
