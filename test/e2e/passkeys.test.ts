import t, { type Test } from 'tap'
import { namedSitesMissing, openNamedSites } from '../helpers/programs/named-sites.ts'
import { PASSWORD } from '../helpers/service/service.ts'
import {
  type Authenticator,
  openPasskeySite,
  type PasskeySite,
  type Tab,
} from '../helpers/webauthn/passkey-site.ts'

/** Passkeys as people make and use them: Chromium and its authenticators, through the client for TypeScript. */

const PAGE = 'https://a.test/client'

let named: ReturnType<typeof openNamedSites> | undefined
/** One browser for all tests. Each is a person of its own in it. */
const sites = () => (named ??= openNamedSites(t))

/** The service on a host of its own, for pages of `a.test`, and of `b.test`, which is related to it. */
const open = async (t: Test): Promise<PasskeySite> =>
  openPasskeySite(t, await sites(), {
    issuer: 'https://id.a.test',
    hosts: ['a.test', 'b.test', 'c.test', 'd.test'],
    related: ['https://b.test', 'https://c.test'],
    environment: {
      WEBAUTHN_RP_ID: 'a.test',
      WEBAUTHN_ORIGINS: 'https://a.test,https://b.test',
      CORS_ORIGINS: 'https://a.test,https://b.test,https://c.test,https://d.test',
    },
  })

const posts = (path: string, body: object) => `keyturn.POST('${path}', { body: ${JSON.stringify(body)} })`
const register = posts('/register', { username: 'ada', password: PASSWORD })
const givePassword = posts('/login', { username: 'ada', password: PASSWORD })
const signOut = `keyturn.POST('/logout')`
const signIn = 'sdk.signInWithPasskey(keyturn)'

/** Makes an account whose first factor is a passkey. */
async function makeAccount({ tries }: Tab): Promise<void> {
  await tries(register)
  const made = await tries('sdk.registerPasskey(keyturn)')
  if (!made.access_token) throw new Error(JSON.stringify(made))
}

const setPresent = (device: Authenticator, enabled: boolean) =>
  device.send('setAutomaticPresenceSimulation', { enabled })

/** A security key: without a PIN, and without a list of its credentials. */
const PLAIN_KEY = { transport: 'usb', hasResidentKey: false, hasUserVerification: false }

/** What its access token says. */
const claims = ({ access_token }: { access_token: string }) =>
  JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString())

const inBrowser = { skip: namedSitesMissing }

t.test('a passkey is made, signs in with and without the password, and steps up', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  const device = await tab.add({ defaultBackupEligibility: true, defaultBackupState: true })
  t.strictSame(await tab.tries('sdk.passkeySupport()'), { passkeys: true, autofill: true })
  await tab.tries(register)
  const made = await tab.tries(`sdk.registerPasskey(keyturn, { name: 'My phone' })`)
  t.equal(made.recovery_codes.length, 10)
  t.match(claims(made), { amr: ['pwd', 'swk', 'user', 'mfa'], acr: 'aal2', phr: true })
  const [{ credentialId, ...credential }] = await device.credentials()
  t.match(credential, { isResidentCredential: true, rpId: 'a.test', userName: 'ada' })
  t.match((await tab.tries('sdk.listFactors(keyturn)')).factors, [
    { kind: 'passkey', name: 'My phone', backed_up: true, last_used_at: null },
  ])

  await tab.tries(signOut)
  await tab.tries(givePassword)
  const second = await tab.tries('sdk.verifyWithPasskey(keyturn)')
  t.match(claims(second), { amr: ['pwd', 'swk', 'user', 'mfa'], acr: 'aal2', phr: true })

  await tab.tries(signOut)
  await device.send('setCredentialProperties', { credentialId, backupState: false })
  t.match(claims(await tab.tries(signIn)), { amr: ['swk', 'user', 'mfa'], acr: 'aal2', phr: true })
  const [after] = (await tab.tries('sdk.listFactors(keyturn)')).factors
  t.match(after, { backed_up: false, last_used_at: String })

  const rename = (name: string) => tab.tries(`sdk.renameFactor(keyturn, '${after.id}', '${name}')`)
  t.match(await rename('Old phone'), { name: 'Old phone' })
  t.match(await rename('My phone'), { name: 'My phone' }, 'the account token was not used up')
  await tab.page.reload()
  await tab.page.waitForFunction('window.sdk')
  t.equal((await rename('Work phone')).code, 'insufficient_user_authentication', 'a reload forgets it')
  t.match(await tab.tries('sdk.stepUpWithPasskey(keyturn)'), { account_token: String })
  t.match(await rename('Work phone'), { name: 'Work phone' })
  t.equal((await tab.tries(`sdk.removeFactor(keyturn, '${after.id}')`)).code, 'two_factor_required')
  t.equal((await device.credentials()).length, 1)
})

t.test('a passkey is offered in a field, and the offer gives way to a button', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  const device = await tab.add()
  await makeAccount(tab)
  await tab.tries(signOut)
  const picked = await tab.tries('sdk.signInWithPasskey(keyturn, { autofill: true })')
  t.match(claims(picked), { amr: ['hwk', 'user', 'mfa'] })

  await tab.tries(signOut)
  await setPresent(device, false)
  await tab.page.evaluate(`{
    const get = navigator.credentials.get.bind(navigator.credentials)
    window.asked = new Promise((asked) => {
      navigator.credentials.get = (options) => (asked(options.mediation), get(options))
    })
    window.offered = sdk.signInWithPasskey(keyturn, { autofill: true }).catch(({ name }) => name)
    undefined
  }`)
  t.equal(await tab.tries('window.asked'), 'conditional')
  await setPresent(device, true)
  t.match(await tab.tries(signIn), { access_token: String })
  t.equal(await tab.tries(`Promise.race([window.offered, 'still offered'])`), 'AbortError')
})

t.test('an offer that waits for longer than its challenge lives gets another one', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  const device = await tab.add()
  await makeAccount(tab)
  await tab.tries(signOut)
  // No one is there before the first challenge has expired.
  await setPresent(device, false)
  await tab.page.exposeFunction('arrive', () => setPresent(device, true))
  await tab.page.evaluate(`{
    const send = window.fetch
    window.asked = 0
    window.fetch = async (request) => {
      const answer = await send(request)
      if (!request.url.endsWith('/login/passkey/options')) return answer
      if (++window.asked > 1) return window.arrive().then(() => answer)
      return new Response(JSON.stringify({ ...(await answer.json()), expires_in: 1 }), { headers: answer.headers })
    }
    undefined
  }`)
  t.match(await tab.tries('sdk.signInWithPasskey(keyturn, { autofill: true })'), { access_token: String })
  t.equal(await tab.page.evaluate('window.asked'), 2)
})

t.test('a device holds one passkey of an account, and a second device another one', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  const device = await tab.add()
  await makeAccount(tab)
  t.equal((await tab.tries('sdk.registerPasskey(keyturn)')).error, 'InvalidStateError')

  await setPresent(device, false)
  const key = await tab.add({ transport: 'usb' })
  t.match(await tab.tries(`sdk.registerPasskey(keyturn, { name: 'Key' })`), { factor: { name: 'Key' } })
  t.equal((await key.credentials()).length, 1)
  t.equal((await tab.tries('sdk.listFactors(keyturn)')).factors.length, 2)
})

t.test('the browser forgets a passkey that was removed, and no other', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  const device = await tab.add()
  await makeAccount(tab)
  await setPresent(device, false)
  const key = await tab.add({ transport: 'usb' })
  const use = async (one: Authenticator) => {
    await setPresent(device, one === device)
    await setPresent(key, one === key)
  }
  /** Adds a second passkey and removes it again. */
  async function addAndRemove(remove: (id: string) => string): Promise<void> {
    await use(device)
    await tab.tries('sdk.stepUpWithPasskey(keyturn)')
    await use(key)
    const { factor } = await tab.tries(`sdk.registerPasskey(keyturn, { name: 'Key' })`)
    t.equal((await key.credentials()).length, 1)
    await use(device)
    await tab.tries('sdk.stepUpWithPasskey(keyturn)')
    await tab.tries(remove(factor.id))
  }

  await addAndRemove((id) => `sdk.removeFactor(keyturn, '${id}')`)
  t.equal((await key.credentials()).length, 0, 'the list that is left was signalled')
  t.equal((await device.credentials()).length, 1)

  await addAndRemove((id) => `keyturn.DELETE('/2fa/factors/{id}', { params: { path: { id: '${id}' } } })`)
  t.equal((await key.credentials()).length, 1, 'no one has told the browser')
  await tab.tries(signOut)
  await use(key)
  t.match(await tab.tries(signIn), { code: 'unknown_credential', reason: 'removed' })
  t.equal((await key.credentials()).length, 0)

  // As of another service with the same name: nothing says that it was ever one of ours.
  const [mine] = await device.credentials()
  const foreign = { ...mine, credentialId: Buffer.from('of another service').toString('base64') }
  await key.send('addCredential', { credential: foreign })
  t.strictSame(await tab.tries(signIn), {
    ...{ error: 'KeyturnError', code: 'unknown_credential' },
    reason: undefined,
  })
  t.equal((await key.credentials()).length, 1)
})

t.test(
  'without a verified user a passkey is a second factor, and does not sign in alone',
  inBrowser,
  async (t) => {
    const site = await open(t)
    const tab = await site.open(PAGE)
    const key = await tab.add(PLAIN_KEY)
    await makeAccount(tab)
    t.match(await key.credentials(), [{ isResidentCredential: false }])
    await tab.tries(signOut)
    t.equal((await tab.tries(signIn)).error, 'NotAllowedError')
    await tab.tries(givePassword)
    t.match(claims(await tab.tries('sdk.verifyWithPasskey(keyturn)')), {
      amr: ['pwd', 'hwk', 'mfa'],
      phr: true,
    })
  },
)

t.test(
  'a device whose owner is not verified does not sign in, whatever the page asks for',
  inBrowser,
  async (t) => {
    const site = await open(t)
    const tab = await site.open(PAGE)
    const device = await tab.add()
    await makeAccount(tab)
    await tab.tries(signOut)
    await device.send('setUserVerified', { isUserVerified: false })
    t.equal((await tab.tries(signIn)).error, 'NotAllowedError')
    await tab.page.evaluate(`{
    const parse = PublicKeyCredential.parseRequestOptionsFromJSON
    PublicKeyCredential.parseRequestOptionsFromJSON = (json) => parse({ ...json, userVerification: 'discouraged' })
    undefined
  }`)
    t.match(await tab.tries(signIn), { code: 'passkey_rejected', reason: 'user_verification' })
  },
)

t.test('a related page uses the passkey, and a foreign one does not', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  await tab.add()
  await makeAccount(tab)
  const on = async (url: string) => {
    await tab.page.goto(url)
    await tab.page.waitForFunction('window.sdk')
    return tab.tries(signIn)
  }
  t.match(await on('https://b.test/client'), { access_token: String })
  t.equal(site.asked.get('/.well-known/webauthn'), 1)
  t.match(await on('https://c.test/client'), { code: 'passkey_rejected', reason: 'origin' })
  t.match(await on('https://d.test/client'), { error: 'SecurityError' }, 'the browser refuses by itself')
})

t.test('a page in a frame of another site gets nothing for the passkey', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  await tab.add()
  await makeAccount(tab)
  await tab.page.goto('https://d.test/frame')
  const frame = tab.page.frame({ url: PAGE })
  const refused = await frame?.evaluate(`${signIn}.catch(({ name, problem }) => problem ?? { name })`)
  t.match(refused, { code: 'passkey_rejected', reason: 'origin' })
})

t.test('a copied key is refused when its counter falls behind', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  const device = await tab.add()
  await makeAccount(tab)
  const [copy] = await device.credentials()
  await tab.tries(signOut)
  t.match(await tab.tries(signIn), { access_token: String })
  await tab.tries(signOut)
  await device.send('removeCredential', { credentialId: copy.credentialId })
  await device.send('addCredential', { credential: copy })
  t.match(await tab.tries(signIn), { code: 'passkey_rejected', reason: 'counter' })
})

t.test('a browser without passkeys is told so before the service is asked', inBrowser, async (t) => {
  const site = await open(t)
  const tab = await site.open(PAGE)
  await tab.page.evaluate('delete PublicKeyCredential.parseCreationOptionsFromJSON')
  t.strictSame(await tab.tries('sdk.passkeySupport()'), { passkeys: false, autofill: false })
  for (const ceremony of ['registerPasskey', 'signInWithPasskey', 'verifyWithPasskey', 'stepUpWithPasskey'])
    t.equal((await tab.tries(`sdk.${ceremony}(keyturn)`)).error, 'PasskeysUnsupportedError', ceremony)
  t.strictSame(tab.complaints, [], 'nothing was asked that could be refused')
})
