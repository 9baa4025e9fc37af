import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { namedSitesMissing } from '../helpers/programs/named-sites.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { PASSWORD } from '../helpers/service/service.ts'
import { openLocalExample, openPasskeySite, type Tab } from '../helpers/webauthn/passkey-site.ts'

/** What the example of a single-page app does with passkeys, below the host of the service, with nothing else configured. */

async function openApp(t: Test): Promise<Tab> {
  const origin = 'https://app.a.test'
  const site = await openPasskeySite(t, {
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
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await press(page, button)
}

t.test('the example makes, offers, renames and removes passkeys', { skip: namedSitesMissing }, async (t) => {
  const { page, add, complaints } = await openApp(t)
  const device = await add()
  const be = (one: typeof device, enabled: boolean) => one.send('setAutomaticPresenceSimulation', { enabled })

  await givePassword(page, 'Make an account')
  await press(page, 'Create a passkey instead')
  await signedIn(page)
  const recoveryCodes = await page.locator('#recovery li').allInnerTexts()
  t.equal(recoveryCodes.length, 10)
  t.equal(await factors(page).count(), 1)

  // No one touches the device, so that nothing is picked by itself.
  await be(device, false)
  await press(page, 'Sign out')
  await givePassword(page, 'Sign in')
  await be(device, true)
  await press(page, 'Answer with a passkey')
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
  await factors(page).nth(1).getByRole('button', { name: 'Rename' }).click()
  await page.getByLabel('New name').fill('Key in the drawer')
  await press(page, 'Save')
  await press(page, 'Confirm with a passkey')
  await factors(page).filter({ hasText: 'Key in the drawer' }).waitFor()
  t.pass('a change asks for a passkey')

  await be(device, false)
  await be(key, true)
  await press(page, 'Add a passkey')
  await page.getByRole('alert').filter({ hasText: 'here already' }).waitFor()
  t.pass('one device makes one passkey')
  await be(device, true)
  await be(key, false)

  await factors(page).nth(1).getByRole('button', { name: 'Remove' }).click()
  await press(page, 'Cancel')
  t.equal(await factors(page).count(), 2)
  await factors(page).nth(1).getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('heading', { name: 'Remove Key in the drawer?' }).waitFor()
  await press(page, 'Remove it')
  await factors(page).nth(1).waitFor({ state: 'detached' })
  await signedIn(page)
  t.equal(await factors(page).count(), 1)
  await eventually('the browser forgets it', async () => (await key.credentials()).length === 0)

  await page.reload()
  await signedIn(page)
  await factors(page).getByRole('button', { name: 'Rename' }).click()
  await page.getByLabel('New name').fill('My phone')
  await press(page, 'Save')
  await page.getByLabel('Your password').fill(PASSWORD)
  await page.getByLabel('or a recovery code').fill(String(recoveryCodes[0]))
  await press(page, 'Confirm')
  await factors(page).filter({ hasText: 'My phone' }).waitFor()
  t.pass('without the passkey the password and a recovery code confirm a change')
  t.strictSame(complaints, [])
})

t.test('the example has passkeys on localhost, without https', { skip: namedSitesMissing }, async (t) => {
  const { page, add, complaints } = await openLocalExample(t)
  const device = await add()
  await givePassword(page, 'Make an account')
  await press(page, 'Create a passkey instead')
  await signedIn(page)
  t.match(await device.credentials(), [{ rpId: 'localhost' }])
  await press(page, 'Sign out')
  await signedIn(page)
  t.strictSame(complaints, [])
})
