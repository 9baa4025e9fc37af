import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { builtInMails } from '../../src/texts/mails.ts'
import { inFile } from '../../src/texts/own-mails.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { which } from '../helpers/programs/which.ts'

/** `keyturn mails`, where the folder does not take what it writes. */

const prlimit = which('prlimit') ?? ''
const whole = new Map(
  Object.entries(builtInMails).map(([name, template]) => [`${name}.txt`, inFile(template)]),
)

t.test(
  'a mail that does not fit is an error, and no half of it is left',
  { skip: !prlimit && 'NOT TESTED: no prlimit (Debian: util-linux)' },
  async (t) => {
    const folder = `${t.testdir()}/mails`
    const sizes = [...whole.values()].map((text) => Buffer.byteLength(text))
    const limit = Math.max(...sizes) - 1
    const under = [prlimit, `--fsize=${limit}`]
    t.match(await runCommand(t, ['src/cli/keyturn.js', 'mails', folder], {}, { under }).ended, {
      code: 1,
      stderr: /^The file .*\.txt cannot be written: it is larger than a file may be here\.\n$/,
    })
    for (const name of readdirSync(folder))
      t.equal(readFileSync(`${folder}/${name}`, 'utf8'), whole.get(name), name)
    t.ok(readdirSync(folder).length < whole.size)

    const keyturn = keyturnOn({})
    await keyturn.json('mails', folder)
    t.equal(readdirSync(folder).length, whole.size, 'once there is room it writes the others')
    t.equal(
      statSync(`${folder}/sign_in_code.txt`).mode & 0o777,
      0o666 & ~process.umask(),
      'the service may read them',
    )
    writeFileSync(`${folder}/sign_in_code.txt`, 'mine')
    t.match(await keyturn.json('mails', folder), { written: 0 })
    t.equal(readFileSync(`${folder}/sign_in_code.txt`, 'utf8'), 'mine')
  },
)

t.test('a folder that cannot be made is said in a sentence', async (t) => {
  const file = `${t.testdir({ file: '' })}/file`
  for (const folder of [file, `${file}/mails`])
    t.match(await keyturnOn({})('mails', folder), {
      code: 1,
      stderr: /file(\/mails)? is no folder\. Name one\.\n$/,
    })
})
