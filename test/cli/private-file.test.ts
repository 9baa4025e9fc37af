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
    t.match(full, {
      code: 1,
      stdout: '',
      stderr: /The file \S* cannot be written: it is larger than a file may be here\.$/m,
    })
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
    const failing = (call: string, code: string) =>
      writeUnder(
        [
          ...[strace ?? '', '-f', '-qq', '-o', '/dev/null', '-P', file],
          ...['-e', `trace=${call}`, '-e', `inject=${call}:error=${code}`],
        ],
        file,
      ).catch((error) => error)
    for (const [call, code, reason] of [
      ['fsync', 'EIO', 'the disk has a fault'],
      ['write', 'ENOSPC', 'the disk is full'],
      ['openat', 'EACCES', 'this user has no right to'],
      ['openat', 'EROFS', 'the disk is read-only'],
      ['openat', 'ELOOP', 'ELOOP'],
    ] as const) {
      const said = `CommandFailed: The file ${file} cannot be written: ${reason}.\n`
      const { code: ended, stdout, stderr } = await failing(call, code)
      t.strictSame([ended, stdout], [1, ''], code)
      t.match(stderr, said, code)
      t.equal(existsSync(file), false)
    }
  },
)

t.test('a path that cannot be a file is refused in words', async (t) => {
  const folder = t.testdir({ letter: 'Dear Ada' })
  for (const [path, said] of [
    [`${folder}/none/x`, `There is no folder ${folder}/none.`],
    [`${folder}/letter/x`, `There is no folder ${folder}/letter.`],
    [`${folder}/x/`, `The file ${folder}/x/ cannot be written: it is a folder.`],
    [`${folder}/${'x'.repeat(300)}`, 'cannot be written: its name is too long.'],
    ['', 'The name of the file is empty.'],
  ] as const) {
    const { code, stdout, stderr } = await writeUnder([], path).catch((error) => error)
    t.strictSame([code, stdout], [1, ''], said)
    t.match(stderr, said)
  }
})
