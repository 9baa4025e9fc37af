import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  markedBlock,
  markedBlockNames,
  newcomersEnvironment,
  npmStart,
  openShell,
  type Shell,
} from '../helpers/documents/readme.ts'
import { FOREIGN_HASHES } from '../helpers/people/foreign-hashes.ts'
import { totp } from '../helpers/people/totp.ts'
import { jsonLines } from '../helpers/programs/importing.ts'
import { which } from '../helpers/programs/which.ts'

// Everything a reader of README.md and docs/ copies is taken out of the file and run against `npm start`.

const run = promisify(execFile)
/** The reader's own service, as the documents call it. */
const ORDERS = 'https://orders.example.com'
const url = await npmStart(t, ORDERS)
const database = `sqlite:${t.testdirName}/keyturn.db`
const block = (name: string) => markedBlock(name, url)
const STEP = 30_000

/** What the curl blocks leave behind, for the checks in other services. */
const tokens = { access: '', mfa: '', refresh: '' }
let secretOfAda = ''
let recoveryCodesOfAda: string[] = []
const executed: string[] = []

t.test('the curl commands of the README lead from /register to a session, and on', async (t) => {
  const shell = openShell(t)
  const paste = (name: string, typed?: string) => {
    executed.push(name)
    return shell.paste(block(name), typed)
  }
  const variable = (name: string) => shell.paste(`printf %s "$${name}"\n`)

  t.equal(await paste('curl-register'), '')

  const picture = await paste('curl-setup')
  t.match(picture, /[█▀▄]{4}/, 'the terminal shows a QR code')
  t.match(picture, /^otpauth:\/\/totp\/Keyturn:ada\?/m)
  const [, secret = ''] = /^Secret: ([A-Z2-7]{32})$/m.exec(picture) ?? []
  secretOfAda = secret

  const answered = (output: string) => {
    t.match(output, /^Code: \{/)
    return JSON.parse(output.slice('Code: '.length))
  }
  const code = totp(secret, Date.now())
  const verified = answered(await paste('curl-verify', code))
  t.match(verified, { token_type: 'Bearer' })
  t.equal(verified.recovery_codes.length, 10)
  recoveryCodesOfAda = verified.recovery_codes
  t.match(JSON.parse(await paste('curl-me')), { username: 'ada', two_factor_enabled: true })

  const used = answered(await paste('curl-login', code))
  t.match(used, { status: 422, code: 'invalid_code', attempts_left: 4 })
  const next = answered(await shell.paste('verify\n', totp(secret, Date.now() + STEP)))
  t.match(next, { token_type: 'Bearer', access_token: String })

  t.match(await shell.paste("echo '{}' | field mfa_token\n"), '{}', 'what has no such member is shown')

  tokens.access = await variable('ACCESS_TOKEN')
  tokens.mfa = await variable('MFA_TOKEN')
  tokens.refresh = verified.refresh_token
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
  t.match(await paste('httpie-verify'), /"recovery_codes".*"username": ?"grace"/s)
  t.match(await paste('httpie-refresh'), /"refresh_token": ?"/)
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

/** A shell of the operator: `npx keyturn` works on the database of the service, and files lie in its folder. */
async function operate(t: Test, files: Parameters<Test['testdir']>[0] = {}) {
  const folder = t.testdir(files)
  const shell: Shell = openShell(t, { DATABASE_URL: database, AUDIENCE: `${url},${ORDERS}` })
  const cli = fileURLToPath(new URL('../../src/cli/keyturn.js', import.meta.url))
  await shell.paste(`cd '${folder}'; npx() { shift; '${process.execPath}' '${cli}' "$@"; }\n`)
  const paste = (name: string, change = (text: string) => text) => {
    executed.push(name)
    return shell.paste(change(block(name)))
  }
  return { folder, shell, paste }
}

t.test('the documented commands that change keys run while the service does', async (t) => {
  const { paste } = await operate(t)
  const rotated = await paste('rotate')
  t.match(rotated, /The next signing key is (\S+) .*\n(?:.*\n)*.*\1/)
  const [, kid = ''] = /The next signing key is (\S+) /.exec(rotated) ?? []
  t.match(await paste('revoke', (text) => text.replace('<kid>', `--yes -- ${kid}`)), kid)
  t.match(await paste('reseal'), /signing keys: 0 sealed again\nTOTP secrets: 0 sealed again/)
})

t.test('the documented commands that look, write copies and make clients do so too', async (t) => {
  const { folder, shell, paste } = await operate(t)
  t.match(await paste('alert-questions'), /"status":"ok".*\bdatabase\b/s)
  mkdirSync(`${folder}/backups`)
  await paste('backup', (text) => text.replace('/backups/', `${folder}/backups/`))
  t.match(readdirSync(`${folder}/backups`), [/^keyturn-\d{4}-\d\d-\d\d\.db$/])
  await paste('export-person')
  t.match(JSON.parse(readFileSync(`${folder}/ada.json`, 'utf8')), { accounts: [{ username: 'ada' }] })

  const created = await paste('client-create')
  const [, id = ''] = /(service_\S+)/.exec(created) ?? []
  const [, secret = ''] = /(keyturn_\w+)/.exec(created) ?? []
  const refreshed = await fetch(`${url}/token/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: tokens.refresh, resource: ORDERS }),
  })
  const { access_token } = (await refreshed.json()) as { access_token: string }
  await shell.paste(`CLIENT_ID='${id}' CLIENT_SECRET='${secret}' ACCESS_TOKEN='${access_token}'\n`)
  const json = (output: string) => JSON.parse(output.slice(output.indexOf('{')))
  t.match(json(await paste('client-introspect')), { active: true, username: 'ada', aud: ORDERS })
  t.match(json(await paste('client-token')), { token_type: 'Bearer', access_token: String })
})

t.test('accounts come in by the documented commands, and out again', { skip: pythonMissing }, async (t) => {
  const { folder, shell, paste } = await operate(t, {
    'users.jsonl': jsonLines({ username: 'moved', password_hash: FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] }),
    instance: {},
    'my-app': { instance: {} },
  })
  const flaskApp = `import sqlite3
for path in ['instance/app.db', 'my-app/instance/app.db']:
    db = sqlite3.connect(path)
    db.execute('CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT)')
    db.execute('INSERT INTO users (username, password_hash) VALUES (?, ?)', ('flask-person', '''${FOREIGN_HASHES['Werkzeug pbkdf2:sha256']}'''))
    db.commit()
`
  writeFileSync(`${folder}/app.py`, flaskApp)
  await shell.paste(`'${python}' app.py\n`)
  t.match(await paste('import'), /^to import +1\b.*^to import +1\b/ms)
  const taken = await paste('import-flask', (text) => text.replaceAll('../my-app', 'my-app'))
  t.match(taken, /^to import +1\b.*^imported +1\b/ms)

  await paste('export')
  t.equal(statSync(`${folder}/accounts.jsonl`).mode & 0o777, 0o600)

  writeFileSync(`${folder}/link.py`, block('link-rows'))
  executed.push('link-rows')
  t.equal(await shell.paste(`'${python}' link.py\n`), '')
  const linked = `import sqlite3; print(sqlite3.connect('instance/app.db').execute('SELECT keyturn_id FROM users').fetchall())`
  t.match(await shell.paste(`'${python}' -c "${linked}"\n`), /'[0-9a-f-]{36}'/)

  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), `${folder}/node_modules`)
  writeFileSync(`${folder}/check.mjs`, block('check-export'))
  executed.push('check-export')
  const { stdout } = await run(
    process.execPath,
    ['check.mjs', 'accounts.jsonl', 'ada', 'correct horse battery'],
    {
      cwd: folder,
      env: newcomersEnvironment,
    },
  )
  const code = totp(secretOfAda, Date.now())
  t.match(
    stdout,
    new RegExp(`^password is right: true\ncode now: (${code}|${totp(secretOfAda, Date.now() - STEP)})\n$`),
  )
})

t.test('the documented command makes the origin of an Android app', async (t) => {
  const shell = openShell(t)
  executed.push('apk-key-hash')
  const [, fingerprint = ''] = /FINGERPRINT=(\S+)/.exec(block('apk-key-hash')) ?? []
  const bytes = Buffer.from(fingerprint.replaceAll(':', ''), 'hex')
  t.equal(bytes.length, createHash('sha256').digest().length)
  t.equal((await shell.paste(block('apk-key-hash'))).trim(), bytes.toString('base64url'))
})

t.test('the commands for a lost phone end with a new authenticator and new recovery codes', async (t) => {
  const shell = openShell(t)
  const paste = (name: string, typed?: string) => {
    executed.push(name)
    return shell.paste(block(name), typed)
  }
  const prompts: Record<string, string> = {}
  prompts.code = await paste('lost-sign-in', recoveryCodesOfAda[0])
  const [, secret = ''] = /^Secret: ([A-Z2-7]{32})$/m.exec(await paste('lost-set-up')) ?? []
  t.not(secret, secretOfAda)
  prompts.confirmed = await paste('lost-confirm', totp(secret, Date.now()))
  t.strictSame(prompts, { code: 'Recovery code: ', confirmed: 'Code: ' }, 'nothing went wrong')
  const answer = await paste('lost-new-codes', totp(secret, Date.now() + STEP))
  const { recovery_codes: codes } = JSON.parse(answer.slice('Next code: '.length))
  t.equal(codes.length, 10)
  t.notOk(recoveryCodesOfAda.some((code) => codes.includes(code)))
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
