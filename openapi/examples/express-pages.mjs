// The pages of express-app.mjs: put your own in their place. Their style and script are in public/.

// Offers passkeys. Keyturn has to take those of this app's origin (WEBAUTHN_ORIGINS).
const PASSKEYS = process.env.PASSKEYS === 'on'

class Html extends String {}
const inHtml = (value) => {
  if (value instanceof Html) return value
  if (Array.isArray(value)) return value.map(inHtml).join('')
  return String(value === false ? '' : (value ?? '')).replace(
    /[&<>"]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  )
}
/** HTML, in which every value is escaped unless it is HTML itself. */
const html = (parts, ...values) => new Html(String.raw({ raw: parts }, ...values.map(inHtml)))

function page(response, title, content, problem) {
  // Secrets are on these pages: no other site frames them, no foreign script runs in them, no cache keeps them.
  response.set(
    'Content-Security-Policy',
    "default-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  )
  response.set('Cache-Control', 'no-store')
  const text = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - App</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/app.css">
<script type="module" src="/app.js"></script>
<main>
<h1>${title}</h1>
<p role="alert" id="problem">${problem && sentence(problem)}</p>
${content}
</main>
</html>`
  response.status(problem?.status ?? 200).send(`${text}`)
}

/** What went wrong, for the person. */
function sentence({ code, title, detail, errors, method, retry_after: wait, attempts_left: left }) {
  if (wait)
    return `${title}. Try again in ${wait < 100 ? `${wait} seconds` : `${Math.ceil(wait / 60)} minutes`}.`
  if (errors) return errors.map((fault) => fault.detail).join(' ')
  if (code !== 'invalid_code') return detail
  return `${method === 'totp' ? detail : 'This code is wrong, expired or used.'} Tries left: ${left}.`
}

const form = (action, button, fields) =>
  html`<form method="post" action="${action}">${fields}<button>${button}</button></form>`
const input = (label, attributes) =>
  html`<label>${label} <input aria-describedby="problem" ${new Html(attributes)}></label>`

export function password(response, { problem, username, email, isNew } = {}) {
  const title = isNew ? 'Create account' : 'Sign in'
  const fields = html`
    ${input('Username', `name="username" autocomplete="username" autocapitalize="none" required ${username ? '' : 'autofocus'} value="${inHtml(username)}"`)}
    ${input('Password', `name="password" type="password" autocomplete="${isNew ? 'new' : 'current'}-password" required ${username ? 'autofocus' : ''}`)}
    ${isNew && input('Email (optional)', `name="email" type="email" autocomplete="email" value="${inHtml(email)}"`)}`
  const content = html`${form(isNew ? '/register' : '/login', title, fields)}
    ${!isNew && PASSKEYS && form('/passkey', 'Sign in with a passkey')}
    <a href="${isNew ? '/' : '/register'}">${isNew ? 'I have an account' : 'Create account'}</a>`
  page(response, title, content, problem)
}

export function code(response, signIn, problem) {
  const { id, username, methods, enrolled, enrolment_code_required: needsCode, setup, mail } = signIn
  const hidden = (name, value) => html`<input type="hidden" name="${name}" value="${value}">`
  const send = (action, button, fields) => form(action, button, html`${hidden('sign_in', id)}${fields}`)
  const codeForm = (method, label, attributes) =>
    send(
      '/code',
      'Continue',
      html`${hidden('method', method)}${input(label, `name="code" required ${attributes}`)}`,
    )
  const digits = 'inputmode="numeric" autocomplete="one-time-code"'
  const wait = mail ? Math.ceil((mail.resendAt - Date.now()) / 1000) : 0
  const scan =
    setup &&
    html`
    <p>Scan this with an authenticator app, then type the code that it shows.</p>
    <img alt="QR code" src="${setup.qr_png}">
    <a href="${setup.otpauth_uri}">Open in an authenticator app on this device</a>
    <details><summary>I cannot scan it</summary>
      <p>Type this key into the app: <code>${setup.secret}</code></p>
    </details>`
  const lost = html`
    <details ${problem?.method === 'recovery_code' && 'open'}><summary>I have lost my phone</summary>
      <p>Use one of the recovery codes that you saved. Each works once. If you have none, ask the people who run this site.</p>
      ${codeForm('recovery_code', 'Recovery code', 'autocomplete="off" autocapitalize="characters"')}
    </details>`
  const content = html`
    ${scan}
    ${(setup || (enrolled && methods.includes('totp'))) && codeForm('totp', 'Code from the authenticator app', `${digits} autofocus`)}
    ${needsCode && !setup && send('/setup', 'Continue', input('Enrolment code', 'name="code" required autofocus autocomplete="off"'))}
    ${mail && html`<p>We sent a code to ${mail.sent_to}. ${wait > 0 && `You can have another one in ${wait} seconds.`}</p>`}
    ${mail && codeForm('email', 'Code from the email', digits)}
    ${methods.includes('email') && send('/email', mail ? 'Send another code' : 'Send me a code by email')}
    ${PASSKEYS && methods.includes('passkey') && !needsCode && send('/passkey', 'Use a passkey')}
    ${enrolled && lost}
    ${!enrolled && !setup && !needsCode && html`<a href="/">Try again</a>`}
    ${form('/logout', `I am not ${username}`)}`
  page(response, enrolled ? 'Confirm that it is you' : 'Protect your account', content, problem)
}

export function passkey(response, options, signInId) {
  const content = html`<p>Your browser will ask you for it.</p>
    <form method="post" action="/passkey" id="passkey" data-options="${JSON.stringify(options)}">
      <input type="hidden" name="sign_in" value="${signInId}"><input type="hidden" name="credential"><button>Ask again</button>
    </form>
    <a href="/">Choose another way</a>`
  page(response, 'Use your passkey', content)
}

export function recoveryCodes(response, codes) {
  const content = html`<p>If you lose your phone, you can sign in with one of these codes. Each works once.
      Keep them in a place that is not your phone: they are not shown again.</p>
    <ol id="codes">${codes.map((code) => html`<li>${code}</li>`)}</ol>
    <button type="button" id="copy">Copy</button>
    <a download="recovery-codes.txt" href="data:text/plain,${codes.join('%0A')}">Download</a>
    ${form('/saved', 'I have saved them')}`
  page(response, 'Save your recovery codes', content)
}

export function account(response, user, { ok, recovery_codes: left, ...problem }) {
  const content = html`<p>You are user ${user.id} of this app.</p>
    ${ok ? html`<p>Recovery codes left: ${left.remaining}</p>` : html`<a href="/">Try again</a>`}
    ${form('/logout', 'Sign out')}`
  page(response, `Hello, ${user.username}`, content, ok ? undefined : problem)
}

export const sorry = (response) =>
  page(response, 'Something went wrong', html`<a href="/">Back to the start</a>`, {
    status: 500,
    detail: 'Please try again.',
  })
