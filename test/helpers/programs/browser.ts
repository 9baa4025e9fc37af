import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const CHROMIUM = '/usr/bin/chromium'

/** Why the browser tests cannot run here; `false` where they can. */
export const browserMissing = existsSync(CHROMIUM)
  ? false
  : `${CHROMIUM} is missing, so no browser test runs: apt-get install chromium`

const LAUNCH_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser of its own, as one person uses it: its pages share what the browser keeps. */
export async function openBrowser(t: Test): Promise<BrowserContext> {
  return newPerson(t, await launchBrowser(t))
}

/** A browser for several people, one after the other: a start of it takes longer than most tests in it. */
export async function launchBrowser(t: Test, args: readonly string[] = []): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...LAUNCH_ARGUMENTS, ...args] })
  t.teardown(() => browser.close())
  return browser
}

/** One for all tests of a file, launched by the first that asks. Each is a person of its own in it. */
export function oneBrowser(t: Test): () => Promise<Browser> {
  let launched: Promise<Browser> | undefined
  return () => (launched ??= launchBrowser(t))
}

/** What the browser keeps for one person apart from the others, until the test ends. */
export async function newPerson(t: Test, browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 1000 } })
  t.teardown(() => context.close())
  // Ends a hang alone.
  context.setDefaultTimeout(300_000)
  return context
}

/** What a page should have none of. */
export interface Watched {
  /** What the page asked for at other hosts. */
  foreignRequests: string[]
  /** What the console complained about, violations of the Content-Security-Policy among it. */
  complaints: string[]
}

/** @param origins where the page may ask. */
export function watchPage(page: Page, origins: readonly string[]): Watched {
  const foreignRequests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol.startsWith('http') && !origins.includes(origin)) foreignRequests.push(request.url())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  return { foreignRequests, complaints }
}
