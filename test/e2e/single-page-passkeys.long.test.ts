import type { Dialog, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { namedSitesMissing, openNamedSites } from '../helpers/programs/named-sites.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { PASSWORD } from '../helpers/service/service.ts'
import { openLocalExample, openPasskeySite, type Tab } from '../helpers/webauthn/passkey-site.ts'

/** What the example of a single-page app does with passkeys, below the host of the service, with nothing else configured. */

async function openApp(t: Test): Promise<Tab> {
  const origin = 'https://app.a.test'
  const site = await openPasskeySite(t, await openNamedSites(t), {
    issuer: 'https://a.test',
    hosts: ['app.a.test'],
    environment: { CORS_ORIGINS: origin },
  })
  return site.open(origin)
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const signedIn = (page: Page) => page.getByRole('heading', { name: 'Hello, ada' }).waitFor()
const factors = (page: Page) => page.locator('#factors li')

async function givePassword(page: Page, button: string): Promise<void> {
  const shown = page.locator('section:not([hidden])')
  await shown.getByLabel('Username').fill('ada')
  await shown.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await press(page, button)
}

/** Makes an account whose first factor is a passkey. @returns its recovery codes. */
async function makeAccount(page: Page): Promise<string[]> {
  await press(page, 'Create an account')
  await givePassword(page, 'Create account')
  await press(page, 'Use a passkey')
  await page.getByRole('button', { name: 'I have saved them' }).waitFor()
  const codes = await page.locator('#recovery li').allInnerTexts()
  await press(page, 'I have saved them')
  await signedIn(page)
  return codes
}

/** Answers the next dialog of the browser. */
const answer = (page: Page, work: (dialog: Dialog) => Promise<void>) => page.once('dialog', work)

t.test('the example makes, offers, renames and removes passkeys', { skip: namedSitesMissing }, async (t) => {
  const { page, add, complaints } = await openApp(t)
  const device = await add()
  const be = (one: typeof device, enabled: boolean) => one.send('setAutomaticPresenceSimulation', { enabled })

  const recoveryCodes = await makeAccount(page)
  t.equal(recoveryCodes.length, 10)
  t.equal(await factors(page).count(), 1)

  // No one touches the device, so that nothing is picked by itself.
  await be(device, false)
  await press(page, 'Sign out')
  await givePassword(page, 'Sign in')
  await be(device, true)
  await press(page, 'Use a passkey')
  await signedIn(page)
  t.pass('a passkey is the second factor')

  await be(device, false)
  await press(page, 'Sign out')
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
  await be(device, true)
  await press(page, 'Sign in with a passkey')
  await signedIn(page)
  t.pass('a passkey signs in alone')

  await press(page, 'Sign out')
  await signedIn(page)
  t.pass('a passkey that is picked in the field signs in')

  await be(device, false)
  const key = await add({ transport: 'usb' })
  await press(page, 'Add a passkey')
  await factors(page).nth(1).waitFor()
  t.equal((await key.credentials()).length, 1, 'the account token of the sign-in was good for it')

  await be(device, true)
  await be(key, false)
  answer(page, (dialog) => dialog.accept('Key in the drawer'))
  await factors(page).nth(1).getByRole('button', { name: 'Rename' }).click()
  await press(page, 'Confirm with a passkey')
  await factors(page).filter({ hasText: 'Key in the drawer' }).waitFor()
  t.pass('a change asks for a passkey')

  await be(device, false)
  await be(key, true)
  await press(page, 'Add a passkey')
  await page.getByRole('alert').filter({ hasText: 'already' }).waitFor()
  t.pass('one device makes one passkey')
  await be(device, true)
  await be(key, false)

  answer(page, (dialog) => dialog.dismiss())
  await factors(page).nth(1).getByRole('button', { name: 'Remove' }).click()
  t.equal(await factors(page).count(), 2)
  answer(page, (dialog) => {
    t.match(dialog.message(), /^Remove Key in the drawer\?/)
    return dialog.accept()
  })
  await factors(page).nth(1).getByRole('button', { name: 'Remove' }).click()
  await factors(page).nth(1).waitFor({ state: 'detached' })
  await signedIn(page)
  t.equal(await factors(page).count(), 1)
  await eventually('the browser forgets it', async () => (await key.credentials()).length === 0)

  await page.reload()
  await signedIn(page)
  answer(page, (dialog) => dialog.accept('My phone'))
  await factors(page).getByRole('button', { name: 'Rename' }).click()
  await page.getByLabel('Your password').fill(PASSWORD)
  await page.getByLabel('Code from the app, or a recovery code').fill(String(recoveryCodes[0]))
  await press(page, 'Confirm')
  await factors(page).filter({ hasText: 'My phone' }).waitFor()
  t.pass('without the passkey the password and a recovery code confirm a change')
  // A change is tried first, and refused where it takes a step-up.
  t.strictSame(
    complaints.filter((one) => !/status of 401/.test(one)),
    [],
  )
})

t.test('the example has passkeys on localhost, without https', { skip: namedSitesMissing }, async (t) => {
  const { page, add, complaints } = await openLocalExample(t)
  const device = await add()
  await makeAccount(page)
  t.match(await device.credentials(), [{ rpId: 'localhost' }])
  await press(page, 'Sign out')
  await signedIn(page)
  t.strictSame(complaints, [])
})
