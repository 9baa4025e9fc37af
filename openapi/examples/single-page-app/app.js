import * as passkeys from 'keyturn-client'
import { createClient, unwrap, webStore } from 'keyturn-client'

const SERVICE = 'http://127.0.0.1:3000'
const keyturn = createClient({ url: SERVICE, store: webStore() })
const support = await passkeys.passkeySupport()

const $ = (selector) => document.querySelector(selector)
const $$ = (selector) => document.querySelectorAll(selector)
const element = (tag, textContent, more) =>
  Object.assign(document.createElement(tag), { textContent, ...more })

// --- Messages: a program goes by the code of a problem, and its detail is a sentence for a person.

const CEREMONIES = {
  NotAllowedError: 'No passkey was used.',
  InvalidStateError: 'This device already has a passkey for the account.',
}
const PASSWORD_FAULTS = {
  too_short: ({ min }) => `It must have at least ${min} characters.`,
  common: () => 'It is too common.',
  is_username: () => 'It must not be your username.',
  is_service_name: () => 'It must not be the name of this service.',
}

function explain({ name, message, code, problem }) {
  if (problem?.attempts_left === 0) return 'Too many wrong codes. Please sign in again.'
  if (code === 'invalid_token') return 'That took too long, or it was used before. Please start again.'
  if (problem?.attempts_left) return `${message} Tries left: ${problem.attempts_left}.`
  return CEREMONIES[name] ?? message
}

/** The fields that a problem is about, each with its sentences. */
function faultsOf({ code, message, problem }) {
  if (code === 'username_taken') return [['username', [message]]]
  if (!problem?.reasons)
    return (problem?.errors ?? []).map(({ pointer, detail }) => [pointer.slice(1), [detail]])
  const sentences = problem.reasons.map((reason) => PASSWORD_FAULTS[reason](problem))
  return ['password', 'new_password'].map((name) => [name, sentences])
}

function say(text, role = 'status') {
  for (const message of $$('#messages p')) message.textContent = message.role === role ? text : ''
}

/** At the fields of the form, if it is about these. */
function tell(problem, form) {
  if (problem.name === 'AbortError') return
  const fields = form?.elements ?? {}
  // A recovery code passes a pause, and stands in for a mailbox that is the only second factor.
  if (['too_many_attempts', 'recovery_code_required'].includes(problem.code) && fields.recovery_code)
    fields.recovery_code.parentElement.hidden = false
  const faults = faultsOf(problem).filter(([name]) => fields[name])
  for (const [name, sentences] of faults) {
    const list = element('ul', '', { className: 'quiet wrong', id: `wrong-${name}` })
    list.append(...sentences.map((sentence) => element('li', sentence)))
    fields[name].parentElement.after(list)
    fields[name].setAttribute('aria-invalid', 'true')
    fields[name].setAttribute('aria-describedby', list.id)
  }
  if (faults.length > 0) fields[faults[0][0]].focus()
  else say(explain(problem), 'alert')
}

let isBusy = false

/** Does what a person asked for, one thing at a time, and says what went wrong. */
async function attempt(work, form) {
  if (isBusy) return
  isBusy = true
  say('')
  for (const list of $$('.wrong')) list.remove()
  for (const input of $$('[aria-invalid]')) input.removeAttribute('aria-invalid')
  await work().catch((problem) => tell(problem, form))
  isBusy = false
}

function onClick(selector, work) {
  $(selector).onclick = () => attempt(work)
}

// --- What is shown follows from the state of the client, which outlives a reload and is that of all tabs.

function show(id) {
  if (!$(`#${id}`).hidden) return
  for (const section of $$('section')) section.hidden = section.id !== id
  $(`#${id} form`)?.reset()
  const first = $(`#${id} form:not([hidden]) input`) ?? $(`#${id} h1`)
  if (first.tagName === 'H1') first.tabIndex = -1
  first.focus()
  // The person has not asked for it: without a network it says nothing.
  if (id === 'sign-in')
    offerPasskeys().catch((problem) => problem.problem && problem.code !== 'unavailable' && tell(problem))
}

/** Among the suggestions for the username. */
async function offerPasskeys() {
  const { autofill } = await passkeys.passkeySupport()
  if (autofill) await passkeys.signInWithPasskey(keyturn, { autofill: true })
}

async function render(state) {
  if (state.status !== 'mfa') sessionStorage.removeItem('authenticator')
  if (state.status !== 'signed_in') $('#confirm').close('')
  if (state.status === 'mfa') await showStep(state)
  else if (state.status === 'signed_out') $('.signed-out:not([hidden])') ?? show('sign-in')
  else if (state.recoveryCodes) showRecoveryCodes(state.recoveryCodes)
  else await showAccount()
}

keyturn.onChange((state) => render(state).catch(tell))
keyturn.onSignedOut((reason) => reason !== 'logout' && say('You were signed out.'))
for (const button of $$('[data-show]')) button.onclick = () => attempt(async () => show(button.dataset.show))

/** Asks what the service offers, and goes on where the person was. */
async function start() {
  const { registration, password, mail } = unwrap(await keyturn.GET('/config'))
  const offers = { ...support, registration: registration === 'open', mail: mail.reset }
  for (const one of $$('[data-if]')) one.hidden = !offers[one.dataset.if]
  for (const one of $$('.min-length')) one.textContent = password.min_length
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (!token) return render(await keyturn.state())
  // The link in a mail, where RESET_URL of the service leads here.
  history.replaceState(null, '', location.pathname)
  show('reset')
  $('#reset [name=token]').value = token
  $('#reset [name=token]').parentElement.hidden = true
  $('#reset [name=new_password]').focus()
}

// --- Forms

const FORMS = {
  'sign-in': (body) => keyturn.POST('/login', { body }).then(unwrap),
  'sign-up': (body) => keyturn.POST('/register', { body }).then(unwrap),
  async 'handed-out'(body) {
    await authenticator(step, body)
    await render(await keyturn.state())
  },
  code: (body) => keyturn.POST('/2fa/verify', { body: { ...body, method } }).then(unwrap),
  async forgotten(body) {
    unwrap(await keyturn.POST('/password/forgot', { body }))
    show('reset')
    say('If the account has a confirmed email address, a mail is on its way.')
  },
  async reset(body) {
    unwrap(await keyturn.POST('/password/reset', { body }))
    show('sign-in')
    say('Your password is changed. Please sign in with it.')
  },
}

for (const [id, work] of Object.entries(FORMS)) {
  const form = $(`#${id} form`)
  form.onsubmit = (event) => {
    event.preventDefault()
    const filled = [...new FormData(form)].filter(([, value]) => value)
    attempt(() => work(Object.fromEntries(filled)), form)
  }
}
onClick('#passkey', () => passkeys.signInWithPasskey(keyturn))

// --- The second factor: a first one, or the answer of one

const METHODS = {
  passkey: { choose: 'Use a passkey' },
  totp: {
    choose: 'Use an authenticator app',
    label: 'Code',
    hint: 'Enter the six digits that the app shows.',
  },
  email: {
    choose: 'Get a code by email',
    label: 'Code from the mail',
    hint: 'We can mail a code of six digits to you.',
  },
  recovery_code: {
    choose: 'I have lost my phone',
    label: 'Recovery code',
    hint: 'Enter one of the codes that you saved.',
  },
}
let step
let method
let expiry

async function showStep(state) {
  clearTimeout(expiry)
  expiry = setTimeout(async () => {
    if ((await keyturn.state()).status === 'signed_out')
      say('That took too long. Please sign in again.', 'alert')
  }, state.expiresAt - Date.now())
  const methods = state.methods.filter((one) => one in METHODS && (one !== 'passkey' || support.passkeys))
  step = { ...state, methods }
  if (!step.enrolled) {
    if (step.enrolmentCodeRequired && !keptAuthenticator(step)) return show('handed-out')
    const { secret, otpauth_uri, qr_png } = await authenticator(step)
    $('#enrolment code').textContent = secret
    $('#enrolment a').href = otpauth_uri
    $('#enrolment img').src = qr_png
  }
  choose(methods.find((one) => ['totp', 'email'].includes(one)) ?? methods[0])
  show('code')
}

/** Of this tab, over a reload. */
function keptAuthenticator({ expiresAt }) {
  const kept = JSON.parse(sessionStorage.getItem('authenticator'))
  return kept?.expiresAt === expiresAt && kept
}

/** The service makes another one once a code was tried. */
async function authenticator({ expiresAt }, body) {
  const kept = keptAuthenticator({ expiresAt })
  if (kept) return kept
  const made = { ...unwrap(await keyturn.POST('/2fa/setup', { body })), ...body, expiresAt }
  sessionStorage.setItem('authenticator', JSON.stringify(made))
  return made
}

function choose(chosen) {
  method = chosen
  const { label, hint } = METHODS[method]
  $('#code h1').textContent = step.enrolled ? 'Confirm that it is you' : 'Protect your account'
  $('#enrolment').hidden = step.enrolled || method !== 'totp'
  $('#code form').hidden = method === 'passkey'
  $('#hint').textContent = hint
  $('#code label span').textContent = label
  $('#code input').inputMode = method === 'recovery_code' ? 'text' : 'numeric'
  $('#send').hidden = method !== 'email'
  const others = step.methods.filter((one) => one !== method || one === 'passkey')
  const button = (one) => element('button', METHODS[one].choose, { onclick: () => attempt(() => use(one)) })
  $('#methods').replaceChildren(...others.map(button))
  $('#code .or').hidden = others.length === 0
}

async function use(chosen) {
  if (chosen === 'passkey')
    return step.enrolled
      ? passkeys.verifyWithPasskey(keyturn)
      : passkeys.registerPasskey(keyturn, { enrolmentCode: keptAuthenticator(step).enrolment_code })
  choose(chosen)
  $('#code form').reset()
  $('#code input').focus()
  if (chosen === 'email' && !$('#send').disabled) await sendCode()
}

async function sendCode() {
  const { sent_to, resend_after } = unwrap(await keyturn.POST('/2fa/email'))
  $('#hint').textContent =
    `We have sent a code to ${sent_to}. You can ask for another one in ${resend_after} seconds.`
  $('#send').disabled = true
  setTimeout(
    () => Object.assign($('#send'), { disabled: false, textContent: 'Send another code' }),
    resend_after * 1000,
  )
}

onClick('#send', sendCode)
// It gives the half-done sign-in up.
for (const button of $$('.back')) button.onclick = () => attempt(() => keyturn.POST('/logout'))

// --- Recovery codes: the client keeps them until they are saved.

function showRecoveryCodes(codes) {
  const text = codes.join('\n')
  $('#recovery ul').replaceChildren(...codes.map((code) => element('li', code)))
  $('#recovery a').href = `data:text/plain,${encodeURIComponent(text)}`
  onClick('#copy', () => navigator.clipboard.writeText(text).then(() => say('Copied.')))
  show('recovery')
}

onClick('#saved', () => keyturn.recoveryCodesSaved())

// --- The account

async function showAccount() {
  const { username, id } = unwrap(await keyturn.GET('/me'))
  const { factors, passkeys: known, recovery_codes } = await passkeys.listFactors(keyturn)
  $('#name').textContent = username
  // The claim `sub` of access tokens: an app of your own keeps it with what belongs to this person.
  $('#id').textContent = id
  $('#factors').replaceChildren(...factors.map(showFactor))
  $('#renew').textContent = `New recovery codes (${recovery_codes.remaining} left)`
  $('#renew').hidden = factors.length === 0
  const canConfirm = support.passkeys && known.credential_ids.length > 0
  for (const one of $$('#confirm [value=passkey], #confirm .or')) one.hidden = !canConfirm
  const code = $('#confirm [name=code]')
  code.disabled = code.parentElement.hidden = factors.length === 0
  show('account')
}

const KINDS = { passkey: 'Passkey', totp: 'Authenticator app', email: 'Codes by mail' }

function showFactor({ id, kind, name, last_used_at, backed_up }) {
  const used = last_used_at ? `used ${new Date(last_used_at).toLocaleDateString()}` : 'not used yet'
  const about = element('div', name)
  const details = [KINDS[kind] ?? kind, backed_up && 'synchronised', used].filter(Boolean).join(', ')
  about.append(element('div', details, { className: 'quiet' }))
  const button = (text, work) => element('button', text, { className: 'small', onclick: () => attempt(work) })
  const buttons = element('div', '', { className: 'row' })
  if (kind !== 'email') buttons.append(button('Rename', () => rename(id, name)))
  buttons.append(button('Remove', () => remove(id, name)))
  const row = element('li')
  row.append(about, buttons)
  return row
}

async function rename(id, present) {
  const name = prompt('New name', present)
  if (name) await change(() => passkeys.renameFactor(keyturn, id, name))
}

async function remove(id, name) {
  if (confirm(`Remove ${name}? You can no longer sign in with it, and are signed out everywhere else.`))
    await change(() => passkeys.removeFactor(keyturn, id))
}

/** Changes of the account take a step-up, unless the sign-in was just now. */
async function change(work) {
  await work().catch(async (problem) => {
    if (problem.problem?.needs !== 'account_token') throw problem
    if (await stepUp()) await work()
  })
  await render(await keyturn.state())
}

/** @returns whether the person has confirmed that it is them. */
async function stepUp() {
  const dialog = $('#confirm')
  dialog.returnValue = ''
  dialog.showModal()
  await new Promise((resolve) => {
    dialog.onclose = resolve
  })
  const { password, code } = Object.fromEntries(new FormData($('#confirm form')))
  $('#confirm form').reset()
  if (dialog.returnValue === 'passkey') return passkeys.stepUpWithPasskey(keyturn)
  // Recovery codes are longer than the codes of an app.
  const shown = code ? { code, method: code.length > 12 ? 'recovery_code' : 'totp' } : { method: 'password' }
  return dialog.returnValue && unwrap(await keyturn.POST('/2fa/step-up', { body: { ...shown, password } }))
}

for (const button of $$('#confirm [type=button]')) button.onclick = () => $('#confirm').close(button.value)
onClick('#add', () => change(() => passkeys.registerPasskey(keyturn)))
onClick('#renew', () => change(() => keyturn.POST('/2fa/recovery-codes').then(unwrap)))
onClick('#reload', showAccount)
onClick('#sign-out', async () => {
  const { error } = await keyturn.POST('/logout')
  if (error?.code === 'unavailable')
    say('You are signed out here. The session ends when this page is online again.')
})

addEventListener('online', () => attempt(start))
await attempt(start)
// Not even the rules of the service are known: the network is away.
if (!$('section:not([hidden])')) show('sign-in')
