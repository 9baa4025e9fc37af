import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { which } from '../helpers/programs/which.ts'

const UNIT = fileURLToPath(new URL('../../deploy/keyturn.service', import.meta.url))
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
