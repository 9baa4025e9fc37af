import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { childOptions } from '../helpers/programs/child-environment.ts'
import { startListening } from '../helpers/service/listening.ts'

const PROGRAM = fileURLToPath(new URL('../helpers/programs/react-native.ts', import.meta.url))

// It takes the block 'react-native' out of the page on mobile apps.
t.test('the client runs where there is no page and no Node.js, and goes on after a restart', async (t) => {
  const { issuer, clock } = await startListening(t)
  const parameters = ['--no-warnings', '--experimental-vm-modules', PROGRAM, issuer, String(clock.now())]
  const { stdout } = await promisify(execFile)(process.execPath, parameters, childOptions({}))
  const { afterRestart, ...rest } = JSON.parse(stdout)
  t.match(afterRestart, { status: 'mfa', enrolled: false, methods: ['passkey', 'totp'], expiresAt: Number })
  t.strictSame(rest, {
    username: 'ada',
    renewed: true,
    keys: 1,
    seen: ['mfa', 'mfa', 'signed_in', 'signed_out'],
    left: [],
  })
})
