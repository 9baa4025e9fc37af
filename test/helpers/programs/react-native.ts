import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { recipe } from '../documents/recipes.ts'
import { totp } from '../people/totp.ts'

// Runs the client as an app of React Native would: where there is no page, no Node.js, no Web Locks, neither
// AbortSignal.timeout nor Response.json, and a URL that cannot tell its path. A process of its own, since modules in a
// context need a flag: node --experimental-vm-modules test/helpers/programs/react-native.ts <url> <time of the service>
// The client is made by the code of docs/mobile-apps.md, over a key store that is a Map.

const [url = '', time = ''] = process.argv.slice(2)

class LesserUrl {
  readonly href: string
  constructor(href: string) {
    this.href = href
  }
  get pathname(): never {
    throw new Error('URL.pathname is not implemented')
  }
}
class LesserResponse extends Response {}
Object.defineProperty(LesserResponse, 'json', { value: undefined })

const storage = new Map<string, string>()
const later = () => new Promise((resolve) => setTimeout(resolve, 5))
const secureStore: Record<string, (name: string, value: string) => Promise<unknown>> = {
  getItemAsync: async (name) => later().then(() => storage.get(name) ?? null),
  setItemAsync: async (name, value) => later().then(() => void storage.set(name, value)),
  deleteItemAsync: async (name) => later().then(() => void storage.delete(name)),
}

let keys = 0
const noting: typeof fetch = (input, init) => {
  if (input instanceof Request && (input.headers.get('idempotency-key')?.length ?? 0) >= 16) keys += 1
  return fetch(input, init)
}

const context = vm.createContext({
  ...{
    fetch: noting,
    Request,
    Headers,
    FormData,
    URLSearchParams,
    AbortController,
    setTimeout,
    clearTimeout,
  },
  Response: LesserResponse,
  URL: LesserUrl,
  navigator: { product: 'ReactNative' },
})

const modules = new Map<string, vm.SourceTextModule>()
const { resolve } = createRequire(new URL('../../../src/sdk/', import.meta.url))

function load(path: string): vm.SourceTextModule {
  const known = modules.get(path)
  if (known) return known
  const text = readFileSync(path, 'utf8')
  const source = path.endsWith('.ts') ? stripTypeScriptTypes(text) : text
  const module = new vm.SourceTextModule(source, { context, identifier: path })
  modules.set(path, module)
  return module
}

const entry = load(resolve('./index.ts'))
await entry.link((name, from) => {
  const inFolder = name.startsWith('.') && new URL(name, pathToFileURL(from.identifier)).pathname
  // By `import`: what `require` gets is CommonJS.
  return load(inFolder || resolve(name).replace(/\.cjs$/, '.mjs'))
})
await entry.evaluate()
const { unwrap } = entry.namespace as typeof import('../../../src/sdk/index.ts')
type Keyturn = import('../../../src/sdk/index.ts').Client

const names = Object.keys(secureStore)
const expoSecureStore = new vm.SyntheticModule(
  names,
  () => {
    for (const name of names) expoSecureStore.setExport(name, secureStore[name])
  },
  { context },
)

/** As when the app is opened. */
async function open(): Promise<Keyturn> {
  const source = stripTypeScriptTypes(recipe('react-native', { 'http://127.0.0.1:3000': url }))
  const app = new vm.SourceTextModule(source, { context })
  await app.link((name) => (name === 'keyturn-client' ? entry : expoSecureStore))
  await app.evaluate()
  return (app.namespace as unknown as { keyturn: Keyturn }).keyturn
}
const seen: string[] = []

const first = await open()
first.onChange(({ status }) => seen.push(status))
unwrap(await first.POST('/register', { body: { username: 'ada', password: 'correct horse battery' } }))

const restarted = await open()
restarted.onChange(({ status }) => seen.push(status))
const afterRestart = await restarted.state()
const { secret } = unwrap(await restarted.POST('/2fa/setup'))
unwrap(await restarted.POST('/2fa/verify', { body: { code: totp(secret, Number(time)) } }))

// As good as expired.
const kept = JSON.parse(storage.get('keyturn') ?? '')
kept.tokens.accessToken = 'stale'
storage.set('keyturn', JSON.stringify(kept))
const answers = await Promise.all([restarted.GET('/me'), restarted.GET('/me'), restarted.GET('/sessions')])
const me = unwrap(answers[0])
const renewed = JSON.parse(storage.get('keyturn') ?? '').tokens.refreshToken !== kept.tokens.refreshToken
unwrap(await restarted.POST('/logout'))

const left = [...storage.keys()]
console.log(JSON.stringify({ afterRestart, username: me.username, renewed, keys, seen, left }))
