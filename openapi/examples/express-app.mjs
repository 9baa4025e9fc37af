// An Express app that signs people in with Keyturn: its pages are its own, and so is its session; passwords, codes and
// tokens are not. Run it with: npm i express && node express-app.mjs
import { randomUUID } from 'node:crypto'
import express from 'express'

const KEYTURN = 'http://127.0.0.1:3000'
const app = express()
// Behind a proxy of your own, so that request.ip is the person's: app.set('trust proxy', 'loopback')
app.use(express.urlencoded({ extended: false }))

/**
 * Calls Keyturn. It counts attempts and requests by address: it has to hear whose this is, and to be told by TRUST_PROXY to
 * believe this app. @returns the answer, and whether it is good.
 */
async function keyturn(method, path, { from, token, body }) {
  const answer = await fetch(KEYTURN + path, {
    method,
    headers: {
      'X-Forwarded-For': from,
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { ok: answer.ok, ...(await answer.json()) }
}

// In memory, to keep the example small: use express-session with a store.
const sessions = new Map()
app.use((request, response, next) => {
  const id = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
  request.session = sessions.get(id) ?? {}
  // A new id at each step up: an id that was planted before is worth nothing after.
  response.signIn = (session) => {
    sessions.delete(id)
    const newId = randomUUID()
    sessions.set(newId, session)
    // Behind TLS, as it must be outside of this machine, with: secure: true
    response.cookie('session', newId, { httpOnly: true, sameSite: 'lax' })
  }
  response.signOut = () => sessions.delete(id)
  next()
})

const inHtml = (text) => String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
const page = (response, body, problem) =>
  response.send(`<!doctype html><title>App</title><p>${inHtml(problem?.detail ?? '')}</p>${body}`)

const PASSWORD_FORM = `<form method="post">
  <input name="username" placeholder="Username"> <input name="password" type="password" placeholder="Password">
  <button formaction="/login">Sign in</button> <button formaction="/register">Make an account</button></form>`
const CODE_FORM =
  '<form method="post" action="/code"><input name="code" placeholder="Code"><button>Go on</button></form>'

app.get('/', ({ session }, response) =>
  session.user
    ? page(
        response,
        `Hello, ${inHtml(session.user.username)} <form method="post" action="/logout"><button>Sign out</button></form>`,
      )
    : page(response, PASSWORD_FORM),
)

for (const path of ['/login', '/register'])
  app.post(path, async ({ ip: from, body: { username, password } }, response) => {
    const step = await keyturn('POST', path, { from, body: { username, password } })
    if (!step.ok) return page(response, PASSWORD_FORM, step)
    response.signIn({ mfaToken: step.mfa_token })
    if (step.enrolled) return page(response, CODE_FORM)
    const { qr_png, secret } = await keyturn('POST', '/2fa/setup', { from, token: step.mfa_token })
    page(response, `<img alt="QR code" src="${qr_png}"> <code>${secret}</code>${CODE_FORM}`)
  })

app.post('/code', async ({ ip: from, session, body: { code } }, response) => {
  const tokens = await keyturn('POST', '/2fa/verify', { from, token: session.mfaToken, body: { code } })
  if (!tokens.ok) return page(response, CODE_FORM, tokens)
  const user = await keyturn('GET', '/me', { from, token: tokens.access_token })
  response.signIn({ user, tokens })
  // The first time, there are recovery codes, and they are shown this once.
  page(response, `<pre>${(tokens.recovery_codes ?? []).join('\n')}</pre><a href="/">Go on</a>`)
})

app.post('/logout', async ({ ip: from, session }, response) => {
  response.signOut()
  if (session.tokens)
    // By the refresh token: it is good after the access token has run out, and nothing of the session stays alive.
    await fetch(`${KEYTURN}/logout`, {
      method: 'POST',
      headers: { 'X-Forwarded-For': from, 'Content-Type': 'application/json' },
      body: JSON.stringify({ refresh_token: session.tokens.refresh_token }),
    })
  response.redirect('/')
})

app.listen(process.env.PORT ?? 8000, '127.0.0.1')
