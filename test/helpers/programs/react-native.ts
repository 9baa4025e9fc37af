import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { totp } from '../people/totp.ts'

// Runs the client as an app of React Native would: where there is no page, no Node.js, no Web Locks, neither
// AbortSignal.timeout nor Response.json, and a URL that cannot tell its path. A process of its own, since modules in a
// context need a flag: node --experimental-vm-modules test/helpers/programs/react-native.ts <url> <time of the service>

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
const asyncStorage = {
  getItem: async (name: string) => later().then(() => storage.get(name) ?? null),
  setItem: async (name: string, value: string) => later().then(() => void storage.set(name, value)),
  removeItem: async (name: string) => later().then(() => void storage.delete(name)),
}

const context = vm.createContext({
  ...{ fetch, Request, Headers, FormData, URLSearchParams, AbortController, setTimeout, clearTimeout },
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
const { asyncStore, createClient, unwrap } = entry.namespace as typeof import('../../../src/sdk/index.ts')

const open = () => createClient({ url, store: asyncStore(asyncStorage) })
const seen: string[] = []

const first = open()
first.onChange(({ status }) => seen.push(status))
unwrap(await first.POST('/register', { body: { username: 'ada', password: 'correct horse battery' } }))

const restarted = open()
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

console.log(JSON.stringify({ afterRestart, username: me.username, renewed, seen, left: [...storage.keys()] }))
