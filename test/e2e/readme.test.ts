import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  markedBlock,
  markedBlockNames,
  newcomersEnvironment,
  npmStart,
  openShell,
} from '../helpers/documents/readme.ts'
import { totp } from '../helpers/people/totp.ts'
import { which } from '../helpers/programs/which.ts'

// Everything a reader of README.md and docs/ copies is taken out of the file and run against `npm start`.

const run = promisify(execFile)
const url = await npmStart(t)
const database = `sqlite:${t.testdirName}/keyturn.db`
const block = (name: string) => markedBlock(name, url)
const STEP = 30_000

/** What the curl blocks leave behind, for the checks in other services. */
const tokens = { access: '', mfa: '' }
const executed: string[] = []

t.test('the curl commands of the README lead from /register to a session, and on', async (t) => {
  const shell = openShell(t)
  const paste = (name: string, typed?: string) => {
    executed.push(name)
    return shell.paste(block(name), typed)
  }
  const variable = (name: string) => shell.paste(`printf %s "$${name}"\n`)

  t.equal(await paste('curl-helpers'), '')
  t.match(JSON.parse(await paste('curl-register')), { user: { username: 'ada' }, mfa_required: true })

  const picture = await paste('curl-setup')
  t.match(picture, /[█▀▄]{4}/, 'the terminal shows a QR code')
  t.match(picture, /^otpauth:\/\/totp\/Keyturn:ada\?/m)
  const [, secret = ''] = /^Secret: ([A-Z2-7]{32})$/m.exec(picture) ?? []

  t.equal(await paste('curl-code', totp(secret, Date.now())), 'Code: ')
  const verified = JSON.parse(await paste('curl-verify'))
  t.match(verified, { token_type: 'Bearer' })
  t.equal(verified.recovery_codes.length, 10)
  t.match(JSON.parse(await paste('curl-me')), { username: 'ada', two_factor_enabled: true })

  t.match(JSON.parse(await paste('curl-login')), { status: 422, code: 'invalid_code', attempts_left: 4 })
  await paste('curl-next-code', totp(secret, Date.now() + STEP))
  t.match(JSON.parse(await paste('curl-signed-in')), { token_type: 'Bearer', access_token: String })

  const refreshed = JSON.parse(await paste('curl-refresh'))
  t.match(refreshed, { token_type: 'Bearer', refresh_token: String })
  t.not(refreshed.refresh_token, verified.refresh_token)

  tokens.access = await variable('ACCESS_TOKEN')
  tokens.mfa = await variable('MFA_TOKEN')
})

const httpieMissing = which('http')
  ? false
  : 'HTTPie is missing, so its commands are not run: apt-get install httpie'

t.test('the HTTPie commands of the quick start do the same', { skip: httpieMissing }, async (t) => {
  const home = t.testdir({ 'config.json': '{"default_options": ["--ignore-stdin"]}' })
  const shell = openShell(t, { HTTPIE_CONFIG_DIR: home })
  const paste = (name: string, typed?: string) => {
    executed.push(name)
    return shell.paste(block(name), typed)
  }

  t.equal(await paste('httpie-register'), '')
  const [, secret = ''] = /^Secret: (\S+)/m.exec(await paste('httpie-setup')) ?? []
  await paste('httpie-code', totp(secret, Date.now()))
  t.match(await paste('httpie-verify'), /"username": ?"grace"/)
})

t.test('another service checks the access token with jose as the documents say', async (t) => {
  const file = `${t.testdir()}/check.mjs`
  writeFileSync(file, block('jose'))
  executed.push('jose')
  await checksTokens(t, process.execPath, file)
})

const python = ['python3', '/usr/bin/python3'].find((program) => {
  try {
    execFileSync(program, ['-c', 'import jwt, cryptography'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})
const pythonMissing =
  python === undefined &&
  'PyJWT is missing, so its example is not run: apt-get install python3-jwt python3-cryptography'

t.test(
  'another service checks the access token with PyJWT as the documents say',
  { skip: pythonMissing },
  async (t) => {
    const file = `${t.testdir()}/check.py`
    writeFileSync(file, block('pyjwt'))
    executed.push('pyjwt')
    await checksTokens(t, python ?? '', file)
  },
)

t.test('the client of the documents does what they say', async (t) => {
  const file = `${t.testdir()}/client.ts`
  const source = fileURLToPath(new URL('../../src/sdk/index.ts', import.meta.url))
  writeFileSync(file, block('client').replace('keyturn-client', source))
  executed.push('client')
  const { stdout } = await run(process.execPath, [file], { env: newcomersEnvironment })
  t.match(stdout, /^.*password.*\notpauth:.*\ninvalid_code 4\nnull\n$/)
})

t.test('the documented commands that change keys run beside the service', async (t) => {
  const shell = openShell(t, { DATABASE_URL: database })
  await shell.paste(`cd '${fileURLToPath(new URL('../..', import.meta.url))}'\n`)
  const paste = (name: string) => {
    executed.push(name)
    return shell.paste(block(name))
  }
  t.match(await paste('rotate'), /The next signing key is (\S+) .*\n(?:.*\n)*.*\1/)
  t.match(await paste('reseal'), /signing keys: 0 sealed anew\nTOTP secrets: 0 sealed anew/)
})

t.test('no marked block of a document is left out', { skip: httpieMissing || pythonMissing }, async (t) => {
  const marked = markedBlockNames()
  for (const names of marked) {
    const those = new Set(names)
    t.same(
      executed.filter((name) => those.has(name)),
      names,
    )
  }
  t.equal(executed.length, marked.flat().length)
})

/** A program that takes the access token, and neither the mfa token nor anything signed by somebody else. */
async function checksTokens(t: Test, program: string, file: string): Promise<void> {
  const check = (token: string) => run(program, [file, token], { env: newcomersEnvironment })
  const [header = '', payload = '', signature = ''] = tokens.access.split('.')
  const otherSubject = Buffer.from(payload, 'base64url')
    .toString()
    .replace(/"sub":"./, '"sub":"x')

  t.match((await check(tokens.access)).stdout, /^ada \([0-9a-f-]{36}\) signed in at level aal2$/m)
  await t.rejects(check(tokens.mfa), 'an mfa token is not an access token')
  await t.rejects(check(`${header}.${Buffer.from(otherSubject).toString('base64url')}.${signature}`))
  await t.rejects(check(''))
}
