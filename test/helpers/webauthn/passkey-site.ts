import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import { exampleAppFile, type ServedFile } from '../documents/example-app.ts'
import { newPerson, openBrowser, type Watched, watchPage } from '../programs/browser.ts'
import type { NamedSites } from '../programs/named-sites.ts'
import { startListening } from '../service/listening.ts'
import { runningClock, type Service, startService } from '../service/service.ts'

const ROOT = new URL('../../../', import.meta.url)

/** A service and the pages of its users, by https and by name, in a browser. */
export interface PasskeySite {
  service: Service
  /** How often each path of the pages was asked for. */
  asked: Map<string, number>
  /** A tab of the example (`/`), or of a page with nothing but the client (`/client`). */
  open(url: string): Promise<Tab>
}

export interface Tab extends Watched {
  page: Page
  /**
   * Lets the page do something with the client, such as `sdk.registerPasskey(keyturn)`.
   *
   * @returns what it came to: the value, or the name of the error, and of a problem what a program goes by.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  tries(expression: string): Promise<any>
  /** An authenticator of Chromium (WebAuthn Level 3 section 11); by default the device itself, unlocked by its owner. */
  add(options?: object): Promise<Authenticator>
}

export interface Authenticator {
  /** A command of its own: `setUserVerified`, without `WebAuthn.` and the id. */
  // biome-ignore lint/suspicious/noExplicitAny: as the browser answers
  send(command: string, parameters?: object): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: as the browser answers
  credentials(): Promise<any[]>
}

const CLIENT_PAGE = `<!doctype html><link rel="icon" href="data:,"><input autocomplete="username webauthn">
<script type="importmap">{ "imports": { "openapi-fetch": "/openapi-fetch.js" } }</script>
<script type="module">
  import * as sdk from '/sdk/index.ts'
  // A frame of another site has no storage.
  const store = top === self ? sdk.webStore() : sdk.memoryStore()
  Object.assign(window, { sdk, keyturn: sdk.createClient({ url: 'ISSUER', store }) })
</script>`

/** A page that has the other one in a frame, and lets it ask for passkeys. */
const FRAME_PAGE = `<!doctype html><link rel="icon" href="data:,">
<iframe src="https://a.test/client" allow="publickey-credentials-get https://a.test"></iframe>`

/** What lies at a path of the pages, apart from the example. */
function fileAt(path: string, issuer: string, related: readonly string[]): ServedFile | null {
  const file = (type: string, text: string) => ({ headers: { 'content-type': type }, text })
  if (path === '/client') return file('text/html', CLIENT_PAGE.replace('ISSUER', issuer))
  if (path === '/frame') return file('text/html', FRAME_PAGE)
  if (path === '/.well-known/webauthn') return file('application/json', JSON.stringify({ origins: related }))
  if (path === '/openapi-fetch.js')
    return file('text/javascript', read(new URL('node_modules/openapi-fetch/dist/index.mjs', ROOT)))
  const module = new URL(`src${path}`, ROOT)
  if (!/^\/sdk\/[\w-]+\.ts$/.test(path) || !existsSync(module)) return null
  return file('text/javascript', stripTypeScriptTypes(read(module)))
}

const read = (url: URL) => readFileSync(url, 'utf8')

const portOf = (listening: { address(): unknown }) => (listening.address() as AddressInfo).port

/** Serves the pages. `issuer` is set when the service is there. */
async function servePages(t: Test, related: readonly string[] = []) {
  const pages = { issuer: '', port: 0, asked: new Map<string, number>() }
  const server = createServer(async ({ url: path = '' }, response) => {
    pages.asked.set(path, (pages.asked.get(path) ?? 0) + 1)
    const file = fileAt(path, pages.issuer, related) ?? (await exampleAppFile(path, pages.issuer))
    response.writeHead(file ? 200 : 404, file?.headers).end(file?.text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  pages.port = portOf(server)
  return pages
}

/**
 * @param sites whose browser a new person uses.
 * @param options.issuer where the service answers.
 * @param options.hosts names of pages.
 * @param options.related origins that may use passkeys of a page's name from elsewhere.
 */
export async function openPasskeySite(
  t: Test,
  sites: NamedSites,
  options: { issuer: string; hosts: string[]; related?: string[]; environment: Record<string, string> },
): Promise<PasskeySite> {
  const { issuer, hosts, related, environment } = options
  const pages = await servePages(t, related)
  pages.issuer = issuer
  const service = await startService(t, {
    clock: runningClock(),
    environment: { ISSUER: issuer, ...environment },
  })
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  const ports = Object.fromEntries(hosts.map((host) => [host, pages.port]))
  ports[new URL(issuer).hostname] = portOf(service.app.server)
  sites.ports = ports
  const browser = await newPerson(t, sites.browser)
  const origins = Object.keys(ports).map((host) => `https://${host}`)
  return { service, asked: pages.asked, open: (url) => openTab(browser, url, origins) }
}

/** The example on this machine, without https, and with nothing configured but its origin. */
export async function openLocalExample(t: Test): Promise<Tab> {
  const pages = await servePages(t)
  const origin = `http://localhost:${pages.port}`
  const { issuer } = await startListening(t, { environment: { CORS_ORIGINS: origin } })
  pages.issuer = issuer
  return openTab(await openBrowser(t), origin, [origin, issuer])
}

async function openTab(browser: BrowserContext, url: string, origins: readonly string[]): Promise<Tab> {
  const page = await browser.newPage()
  const watched = watchPage(page, origins)
  const cdp = await browser.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  await page.goto(url)
  return {
    ...{ ...watched, page },
    tries: (expression) =>
      page.evaluate(`(async () => ${expression})().catch(({ name, problem }) =>
        ({ error: name, code: problem?.code, reason: problem?.reason }))`),
    async add(more = {}) {
      const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
          ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true, ...more },
        },
      })
      const send: Authenticator['send'] = (command, parameters = {}) =>
        cdp.send(`WebAuthn.${command}` as never, { authenticatorId, ...parameters } as never)
      return { send, credentials: async () => (await send('getCredentials')).credentials }
    },
  }
}
