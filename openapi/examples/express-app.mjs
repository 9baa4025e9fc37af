// An Express app that signs people in with Keyturn. Pages, sessions and the table of users are its own; passwords, codes and
// passkeys are Keyturn's. Run it with Node.js 22.13 or newer: npm i express && node express-app.mjs
import { createHash, randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import express from 'express'
import * as pages from './express-pages.mjs'

const KEYTURN = 'http://127.0.0.1:3000'
const PORT = process.env.PORT ?? 8000
// Where people open this app, such as https://app.example.com: forms of other origins are refused.
const ORIGIN = process.env.ORIGIN ?? `http://localhost:${PORT}`

const app = express()
// Behind a proxy of your own, so that request.ip is the person's: app.set('trust proxy', 'loopback')
app.use(express.static(`${import.meta.dirname}/public`))
app.use(express.urlencoded({ extended: false }))

// --- Users and sessions. The browser has a random id; the tokens stay here, in a file that other users cannot read.

process.umask(0o077)
const db = new DatabaseSync('app.db')
db.exec(`
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, keyturn_id TEXT UNIQUE, username TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, data TEXT NOT NULL, expires_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS sign_outs (refresh_token TEXT PRIMARY KEY, ip TEXT NOT NULL)`)
const sql = (text, ...values) => db.prepare(text).all(...values)
const inSeconds = (seconds) => Date.now() + seconds * 1000
const randomId = () => randomBytes(32).toString('base64url')
const hash = (id) => createHash('sha256').update(id).digest('hex')

app.use((request, response, next) => {
  request.sessionId = hash(/(?:^|; )session=([\w-]+)/.exec(request.headers.cookie)?.[1] ?? '')
  const [row] = sql(
    'SELECT data FROM sessions WHERE id = ? AND expires_at > ?',
    request.sessionId,
    Date.now(),
  )
  request.session = row ? JSON.parse(row.data) : {}
  if (request.method !== 'POST' || request.headers.origin === ORIGIN) return next()
  pages.password(response, { problem: { status: 403, detail: `Please open this site at ${ORIGIN}.` } })
})

/** A new id at each step up: one that was planted in the browser before is worth nothing after. */
function begin(request, response, data, seconds) {
  end(request)
  const id = randomId()
  sql('DELETE FROM sessions WHERE expires_at < ?', Date.now())
  sql('INSERT INTO sessions VALUES (?, ?, ?)', hash(id), JSON.stringify(data), inSeconds(seconds))
  response.cookie('session', id, { httpOnly: true, sameSite: 'lax', secure: ORIGIN.startsWith('https:') })
  response.redirect('/')
}

/** Changes some members and removes those that are null. What another tab changes meanwhile stays, the end too. */
function save({ sessionId }, changes, seconds = 0) {
  const values = [JSON.stringify(changes), inSeconds(seconds), sessionId]
  sql(
    'UPDATE sessions SET data = json_patch(data, ?), expires_at = max(expires_at, ?) WHERE id = ?',
    ...values,
  )
}

function end(request) {
  sql('DELETE FROM sessions WHERE id = ?', request.sessionId)
  request.session = {}
}

// --- Keyturn.

/**
 * Calls Keyturn. It counts attempts by address, so it hears whose this is, and believes this app: TRUST_PROXY.
 * @returns the answer or the problem, and `ok`. It never throws: no answer is a problem like the others.
 */
async function keyturn({ ip, headers }, method, path, { token, body, key } = {}) {
  try {
    const answer = await fetch(KEYTURN + path, {
      method,
      signal: AbortSignal.timeout(10_000),
      headers: {
        'X-Forwarded-For': ip,
        'User-Agent': headers['user-agent'] ?? '',
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(key && { 'Idempotency-Key': key }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { ...(text && JSON.parse(text)), ok: answer.ok }
  } catch {
    return {
      ok: false,
      status: 503,
      detail: 'The sign-in service does not answer. Please try again in a moment.',
    }
  }
}

/** The key lets a refresh be repeated: by another tab, or when its answer was lost. */
const tokensOf = ({ access_token, refresh_token, expires_in }) => ({
  ...{ access_token, refresh_token, key: randomId(), renewAt: inSeconds(expires_in - 5) },
})

/** Calls Keyturn with the access token of the session, renewed where it has run out. Call services of yours like this. */
async function asUser(request, method, path) {
  const { tokens } = request.session
  if (Date.now() < tokens.renewAt) {
    const answer = await keyturn(request, method, path, { token: tokens.access_token })
    if (answer.code !== 'invalid_token') return answer
  }
  const body = { refresh_token: tokens.refresh_token }
  const renewed = await keyturn(request, 'POST', '/token/refresh', { body, key: tokens.key })
  if (!renewed.ok) return renewed
  save(request, { tokens: tokensOf(renewed) }, renewed.refresh_expires_in)
  return keyturn(request, method, path, { token: renewed.access_token })
}

/** Ends the sessions of those who have signed out. While Keyturn does not answer they wait for the next who signs in or out. */
async function revoke() {
  for (const { refresh_token: token, ip } of sql('SELECT * FROM sign_outs LIMIT 10')) {
    const { ok } = await keyturn({ ip, headers: {} }, 'POST', '/token/revoke', { body: { token } })
    if (!ok) return
    sql('DELETE FROM sign_outs WHERE refresh_token = ?', token)
  }
}

async function signedIn(request, response, answer) {
  // It comes from Keyturn itself. A service that gets it from a client has to check the signature.
  const { sub, username } = JSON.parse(Buffer.from(answer.access_token.split('.')[1], 'base64url'))
  const [user] = sql(
    `INSERT INTO users (keyturn_id, username) VALUES (?, ?)
     ON CONFLICT (keyturn_id) DO UPDATE SET username = excluded.username RETURNING id, username`,
    ...[sub, username],
  )
  await revoke()
  const data = { user, tokens: tokensOf(answer), recoveryCodes: answer.recovery_codes }
  begin(request, response, data, answer.refresh_expires_in)
}

// --- What people do.

/** Whether a token is good no more: ask for the password again. */
const isDead = ({ code, attempts_left }) => /^invalid_(refresh_)?token$/.test(code) || attempts_left === 0

/** The same page again, with what went wrong, or that of the password. */
function refused(request, response, problem) {
  const { user, signIn } = request.session
  if (!isDead(problem))
    return signIn ? pages.code(response, signIn, problem) : pages.password(response, { problem })
  end(request)
  let why = 'This sign-in was used already, or its answer got lost.'
  if (user) why = 'You were signed out.'
  else if (problem.attempts_left === 0) why = 'There were too many wrong codes.'
  else if (problem.reason === 'expired') why = 'Signing in took too long.'
  askAgain(response, why, signIn?.username)
}

function askAgain(response, why, username) {
  const problem = { status: 401, detail: `${why} Please enter your password again.` }
  pages.password(response, { problem, username })
}

app.get('/', async (request, response) => {
  const { user, recoveryCodes, signIn } = request.session
  if (recoveryCodes) return pages.recoveryCodes(response, recoveryCodes)
  if (signIn && !signIn.enrolled && !signIn.setup && !signIn.enrolment_code_required)
    return setUp(request, response)
  if (signIn) return pages.code(response, signIn)
  if (!user) return pages.password(response)
  const factors = await asUser(request, 'GET', '/2fa')
  if (isDead(factors)) return refused(request, response, factors)
  pages.account(response, user, factors)
})

app.get('/register', (_request, response) => pages.password(response, { isNew: true }))

for (const path of ['/login', '/register'])
  app.post(path, async (request, response) => {
    if (request.session.user) return response.redirect('/')
    const { username, password, email } = request.body
    const answer = await keyturn(request, 'POST', path, {
      body: { username, password, ...(email && { email }) },
    })
    if (!answer.ok)
      return pages.password(response, { problem: answer, username, email, isNew: path === '/register' })
    if (!answer.mfa_required) return signedIn(request, response, answer)
    begin(request, response, { signIn: { ...answer, id: randomId(), username } }, 600)
  })

// Not for a page of a sign-in that is over, or that another tab has replaced.
app.post(['/setup', '/code', '/email', '/passkey'], (request, response, next) => {
  const { user, signIn } = request.session
  const { sign_in: id } = request.body
  if (user) return response.redirect('/')
  if (signIn ? id === signIn.id : request.path === '/passkey' && !id) return next()
  if (!signIn) return askAgain(response, 'Signing in took too long.')
  pages.code(response, signIn, {
    status: 409,
    detail: 'You have started again in another tab. Please continue here.',
  })
})

const withMfaToken = (request, path, body) =>
  keyturn(request, 'POST', path, { token: request.session.signIn?.mfa_token, body })

/** What is set up stays in the session: the QR code is still there after a code that was mistyped. */
async function setUp(request, response) {
  const { signIn } = request.session
  const setup = await withMfaToken(request, '/2fa/setup', { enrolment_code: request.body?.code })
  if (!setup.ok) return refused(request, response, setup)
  save(request, { signIn: { setup } })
  pages.code(response, { ...signIn, setup })
}
app.post('/setup', setUp)

app.post('/code', async (request, response) => {
  const { method, code } = request.body
  const answer = await withMfaToken(request, '/2fa/verify', { method, code })
  if (answer.ok) return signedIn(request, response, answer)
  refused(request, response, { ...answer, method })
})

app.post('/email', async (request, response) => {
  const answer = await withMfaToken(request, '/2fa/email')
  if (!answer.ok) return refused(request, response, answer)
  save(request, { signIn: { mail: { ...answer, resendAt: inSeconds(answer.resend_after) } } })
  response.redirect('/')
})

/** Where to ask for a challenge and where to answer it: without a password, for a new account, and after the password. */
const PASSKEY = {
  alone: ['/login/passkey/options', '/login/passkey'],
  first: ['/2fa/passkeys/options', '/2fa/passkeys'],
  second: ['/2fa/passkeys/challenge', '/2fa/verify'],
}
app.post('/passkey', async (request, response) => {
  const { signIn } = request.session
  const use = !signIn ? 'alone' : signIn.enrolled ? 'second' : 'first'
  const [ask, show] = PASSKEY[use]
  const credential = JSON.parse(request.body.credential || null)
  const body = { ...(use === 'second' && { method: 'passkey' }), credential }
  const answer = await (credential ? withMfaToken(request, show, body) : withMfaToken(request, ask))
  if (!answer.ok) return refused(request, response, answer)
  if (credential) return signedIn(request, response, answer)
  pages.passkey(response, answer.public_key, signIn?.id)
})

app.post('/saved', (request, response) => {
  save(request, { recoveryCodes: null })
  response.redirect('/')
})

app.post('/logout', async (request, response) => {
  const { tokens } = request.session
  if (tokens) sql('INSERT OR IGNORE INTO sign_outs VALUES (?, ?)', tokens.refresh_token, request.ip)
  end(request)
  await revoke()
  response.redirect('/')
})

app.use((error, _request, response, _next) => {
  process.stderr.write(`${error.stack}\n`)
  pages.sorry(response)
})

app.listen(PORT, '127.0.0.1', () => process.stdout.write(`Open ${ORIGIN}\n`))
