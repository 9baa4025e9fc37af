import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv, promisify } from 'node:util'
import t from 'tap'
import { childOptions } from '../helpers/programs/child-environment.ts'
import { which } from '../helpers/programs/which.ts'

const UNIT = fileURLToPath(new URL('../../deploy/keyturn.service', import.meta.url))
const GUIDE = fileURLToPath(new URL('../../docs/command-line.md', import.meta.url))
const KEYTURN = fileURLToPath(new URL('../../src/cli/keyturn.js', import.meta.url))

/** Of 10: what `systemd-analyze security` adds up for what a service could do. */
const MOST_EXPOSURE = 1.5

const skip = which('systemd-analyze') ? false : 'systemd-analyze is missing: apt-get install systemd'

t.test('systemd understands every line of the unit, and finds it locked', { skip }, async (t) => {
  // With programs that are here: it looks whether they are.
  const unit = readFileSync(UNIT, 'utf8')
    .replace('/usr/bin/node', process.execPath)
    .replace('/opt/keyturn/node_modules/keyturn/src/cli/keyturn.js', KEYTURN)
  t.match(unit, `${KEYTURN} serve`)
  const path = `${t.testdir({ 'keyturn.service': unit })}/keyturn.service`
  const analyze = (...parameters: string[]) =>
    promisify(execFile)('systemd-analyze', [...parameters, path]).then(
      ({ stdout, stderr }) => stdout + stderr,
    )

  t.equal(await analyze('verify'), '')
  const [, exposure] =
    /exposure level for keyturn\.service: ([\d.]+)/.exec(await analyze('security', '--offline=true')) ?? []
  t.ok(Number(exposure) <= MOST_EXPOSURE, `${exposure}`)
})

t.test('a command that is run as the guide says works on the database of the unit', async (t) => {
  const folder = t.testdir({})
  mkdirSync(`${folder}/lib`)
  /** Here instead of there. */
  const moved = (text: string) =>
    text
      .replaceAll('npx --prefix /opt/keyturn keyturn', `${process.execPath} ${KEYTURN}`)
      .replaceAll('/etc/keyturn', `${folder}/etc`)
      .replaceAll('/var/lib/keyturn', `${folder}/lib`)
  const unit = moved(readFileSync(UNIT, 'utf8'))
  const sh = (command: string, env: Record<string, string> = {}) =>
    promisify(execFile)('sh', ['-ec', command], { ...childOptions(env), cwd: `${folder}/lib` })

  const steps = [...unit.matchAll(/^# {3}(.*)$/gm)].map(([, step = '']) => step)
  await sh(steps.filter((step) => !/^(npm|cp|systemctl) /.test(step)).join('\n'))
  const [, more = ''] = /^Environment=(.*)$/m.exec(unit) ?? []
  const settings = {
    ...parseEnv(more.replaceAll(' ', '\n')),
    ...parseEnv(readFileSync(`${folder}/etc/.env`, 'utf8')),
  }
  await sh(`${process.execPath} ${KEYTURN} migrate up`, settings as Record<string, string>)
  t.ok(existsSync(`${folder}/lib/keyturn.db`), 'the service makes it there')

  const [, command = ''] = /`(cd \/etc\/keyturn && [^`]*)`/.exec(readFileSync(GUIDE, 'utf8')) ?? []
  t.match((await sh(moved(command))).stdout, /^USERNAME /)
})
