import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv, promisify } from 'node:util'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { childOptions } from '../helpers/programs/child-environment.ts'

const KEYTURN = fileURLToPath(new URL('../../src/cli/keyturn.js', import.meta.url))

/** `keyturn init` in a folder. */
const init = (cwd: string) =>
  promisify(execFile)(process.execPath, [KEYTURN, 'init'], { ...childOptions({}), cwd }).then(
    ({ stdout }) => ({ code: 0, words: stdout }),
    ({ code, stderr }) => ({ code, words: stderr }),
  )

t.test(
  'keyturn init writes a file of settings that a service starts with, for its owner alone',
  async (t) => {
    const folder = t.testdir()
    t.match(await init(folder), { code: 0, words: /^\.env is written, with a new SECRET_KEY\./ })
    const text = readFileSync(`${folder}/.env`, 'utf8')
    t.equal(statSync(`${folder}/.env`).mode & 0o777, 0o600)
    const { secretKeys } = readConfig({ ...parseEnv(text), NODE_ENV: 'production' })
    t.strictSame(
      secretKeys?.map((key) => key.length),
      [32],
    )
    t.match(text, /^#ISSUER=/m, 'the other settings are there to be filled in')

    t.match(await init(folder), { code: 0, words: /^\.env is there already and stays as it is/ })
    t.equal(readFileSync(`${folder}/.env`, 'utf8'), text, 'and it stays as it was')

    const other = t.testdir({ other: {} })
    await init(`${other}/other`)
    t.not(readFileSync(`${other}/other/.env`, 'utf8'), text, 'each has a key of its own')
  },
)

t.test('keyturn init makes no key where another one seals a database', async (t) => {
  const folder = t.testdir({ data: { 'keyturn.key': 'kept' } })
  t.match(await init(folder), { code: 1, words: /data\/keyturn\.key has its key/ })
  t.notOk(existsSync(`${folder}/.env`))
})

t.test('.env is read whatever an editor put in front of it, and refused where it cannot be', async (t) => {
  const text = 'PORT=http\r\nREGISTRATION=closed\r\n'
  for (const [bytes, words] of [
    [`\u{feff}${text}`, /PORT must be a whole number/],
    [Buffer.from(`\u{feff}${text}`, 'utf16le'), /PORT must be a whole number/],
    [Buffer.from(text, 'utf16le'), /^\.env is not a text in UTF-8 or UTF-16: save it as UTF-8\n$/],
    ['REGISTRATION: closed\n', /^\.env, line 1: it is not NAME=value/],
  ] as const) {
    const cwd = t.testdir()
    writeFileSync(`${cwd}/.env`, bytes)
    const command = promisify(execFile)(process.execPath, [KEYTURN, 'migrate', 'status'], {
      ...childOptions({}),
      cwd,
    })
    await t.rejects(command, { code: 1, stderr: words })
  }
})
