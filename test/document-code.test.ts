// What the documents tell a reader to type or to copy is run by a test, and what they name is there.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import t from 'tap'
import { registerCommands } from '../src/cli/command-line.ts'
import { readConfig } from '../src/config.ts'
import { problemStatus } from '../src/errors.ts'
import { type CodeBlock, codeBlocks, documents, inBackticks, proseOf } from './helpers/documents/readme.ts'

const ROOT = new URL('../', import.meta.url)

/** Blocks that no test takes out of their page, by page and first line: where the same is run, or why it cannot be. */
const NOT_TAKEN: Record<string, string> = {
  'README.md: npm ci && npm start': 'e2e/readme.test.ts starts all its blocks by npm start',
  'README.md: npm install keyturn': 'e2e/package.long.test.ts installs the package and starts it',
  'CONTRIBUTING.md: npm ci': 'a fresh checkout: .ci/run',
  'CONTRIBUTING.md: npx tap test/main-flow.test.ts                           # one file, on SQLite':
    'the test suite itself',
  'src/sdk/README.md: npm install keyturn-client': 'e2e/package.long.test.ts installs the package',
  'docs/single-page-apps.md: npm install keyturn-client': 'e2e/package.long.test.ts installs the package',
  'docs/single-page-apps.md: cp -r openapi/examples/single-page-app ../my-app && cd ../my-app':
    'e2e/single-page-app.long.test.ts serves the example',
  'docs/add-it-to-your-app.md: cp -r openapi/examples ../sign-in-app && cd ../sign-in-app':
    'e2e/app-examples.long.test.ts runs both apps',
  'docs/alerts.md: docker compose logs --since 15m keyturn | grep -E \'"level":"(error|warn)"\'':
    'takes a container engine',
  'docs/backup.md: # the service is stopped': 'cli/backup.test.ts restores',
  'docs/backup.md: pg_dump --format=custom --file=keyturn.dump postgres://keyturn_owner@db.example.com/keyturn':
    'cli/backup.long.test.ts takes the lines of the page',
  "docs/backup.md: psql --command='drop owned by current_user' postgres://keyturn_owner@db.example.com/keyturn":
    'cli/backup.long.test.ts takes the lines of the page',
  'docs/keys.md: npx keyturn keys forget-lost': 'stops the service first: cli/forget-lost.test.ts',
  'docs/mobile-apps.md: import Foundation':
    'no compiler of Swift for iOS outside of Xcode; its routes and members are checked below',
  'docs/mobile-apps.md: import android.content.Context':
    'takes the SDK of Android; its routes and members are checked below',
  'docs/monitoring.md: npm install @opentelemetry/api @opentelemetry/sdk-node':
    'cli/traces.test.ts uses them',
  'docs/performance.md: npm run bench -- --peer better-auth,django --check': 'a benchmark is no test',
  'docs/production.md: location /auth/ {': 'e2e/nginx.test.ts takes the block of the page',
  'docs/protect-your-api.md: @Bean': 'not tested, and the page says so',
  "docs/protect-your-api.md: $issuer = 'http://127.0.0.1:3000';": 'not tested, and the page says so',
  'docs/protect-your-api.md: builder.Services.AddAuthentication().AddJwtBearer(options =>':
    'not tested, and the page says so',
  'docs/scaling.md: cat >> .env <<END': 'takes a container engine; npm run docker:config reads the file',
  "docs/scaling.md: create role keyturn_owner login password '…';": 'platform/postgres-roles.test.ts',
  'docs/service-clients.md: OAuth2TokenVerify introspect https://id.example.com/token/introspect introspect.auth=client_secret_basic&client_id=<id>&client_secret=<secret>':
    'e2e/gateways.test.ts configures mod_oauth2 like this',
}

/** What is looked at and not typed, or checked as a whole below. */
const SHOWN = ['http', 'json', 'mermaid', 'text', 'ts']

const firstLine = ({ path, code }: CodeBlock) => `${path}: ${code.split('\n')[0]}`

t.test('a test runs each block of the documents, or the list above says why not', async (t) => {
  const tests = globSync('test/**/*.test.ts', { cwd: ROOT })
    .map((path) => readFileSync(new URL(path, ROOT), 'utf8'))
    .join('\n')
  const listed = new Set(Object.keys(NOT_TAKEN))
  for (const block of codeBlocks) {
    t.not(block.language, '', `${firstLine(block)} has a language`)
    if (block.name) t.ok(tests.includes(`'${block.name}'`), `a test takes ${block.path} ${block.name}`)
    else if (!SHOWN.includes(block.language)) t.ok(listed.delete(firstLine(block)), firstLine(block))
  }
  t.strictSame([...listed], [], 'what is listed is there')
})

t.test('JSON in the documents can be read', async () => {
  for (const { language, code } of codeBlocks) if (language === 'json') JSON.parse(code)
})

const program = new Command('keyturn')
registerCommands(program)

/** What is wrong with a command line of `keyturn`. */
function faultOf(line: string): string | undefined {
  let commands = [program]
  for (const word of line.split(/\s+/)) {
    if (/^(#|\||&&|;|>|\\)/.test(word) || word === '--') return
    if (/^--?[a-z]/.test(word)) {
      const [flag = ''] = word.split('=')
      const known = (command: Command | null): boolean =>
        command !== null &&
        (command.options.some(({ short, long }) => [short, long].includes(flag)) || known(command.parent))
      if (!commands.every(known) && !['--help', '--json', '--yes', '--version'].includes(flag)) return flag
      continue
    }
    const next = word
      .split('|')
      .map((name) => commands[0]?.commands.find((command) => command.name() === name))
    const found = next.filter((command) => command !== undefined)
    if (found.length === next.length) commands = found
    else if (commands[0]?.name() === 'import') return
    else if (commands[0] === program || (commands[0]?.commands.length && !/^[<[…]/.test(word))) return word
  }
}

t.test('each command line of keyturn in the documents is one, with options that it has', async (t) => {
  for (const [path, text] of documents) {
    const blocks = codeBlocks.filter((block) => block.path === path && block.language === 'sh')
    const lines = [...blocks.flatMap(({ code }) => code.split('\n')), ...inBackticks(proseOf(text))]
    for (const line of lines) {
      const [, parameters] = /^(?:npx |npm run )?keyturn(?: --)? (.+)$/.exec(line.trim()) ?? []
      if (parameters) t.equal(faultOf(parameters), undefined, `${path}: ${line}`)
    }
  }
})

/** Names in capitals that are no settings of the service. */
const OTHER_NAMES = [
  // Of Node.js, SQLite, Linux, Apache and the tests.
  ...[
    'UV_THREADPOOL_SIZE',
    'SQLITE_FULL',
    'SQLITE_READONLY',
    'SCHED_IDLE',
    'FUZZ_SEED',
    'REMOTE_USER',
    'NO_COLOR',
  ],
  // A constant in src/platform/clock.ts.
  'CLOCK_SKEW_SECONDS',
]

t.test('each setting that the documents name is one', async (t) => {
  const asked = new Set(OTHER_NAMES)
  readConfig(new Proxy<NodeJS.ProcessEnv>({}, { get: (_, name) => void asked.add(String(name)) }))
  for (const [path, text] of documents)
    for (const code of inBackticks(proseOf(text))) {
      const [, name = ''] = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=.*)?$/.exec(code) ?? []
      if (name) t.ok(asked.has(name), `${path}: ${name}`)
    }
})

const { paths, components } = JSON.parse(readFileSync(new URL('openapi/openapi.json', ROOT), 'utf8'))

t.test('each route and each answer that the documents name is one of the API', async (t) => {
  for (const [path, text] of documents)
    for (const code of inBackticks(proseOf(text))) {
      const [, method = '', route = ''] = /^(GET|POST|PUT|PATCH|DELETE) (\/[\w/{}.-]*)$/.exec(code) ?? []
      const described = route.replace(/(factors|sessions)\/\w+$/, '$1/{id}')
      if (route) t.ok(paths[described]?.[method.toLowerCase()], `${path}: ${code}`)
      const [, status, problem = ''] = /^(4\d\d|5\d\d) ([a-z]+(?:_[a-z]+)+)$/.exec(code) ?? []
      if (problem) t.equal(String(problemStatus(problem as never)), status, `${path}: ${code}`)
    }
})

/** The code of the pages in TypeScript is over a client that is there. */
const AROUND = `import type { Client } from 'keyturn-client'
declare const keyturn: Client
declare const button: HTMLButtonElement
`

/** What the code takes from a package that is not installed here. */
const EXPO = `export function getItemAsync(name: string): Promise<string | null>
export function setItemAsync(name: string, value: string): Promise<void>
export function deleteItemAsync(name: string): Promise<void>
`

t.test('TypeScript in the documents type-checks', async (t) => {
  const blocks = codeBlocks.filter(({ language }) => language === 'ts')
  const files = blocks.map(({ path, code }, index) => {
    const own = /\b(?:const|let) keyturn =/.test(code)
    const around = own ? AROUND.replace(/^declare const keyturn.*$/m, '') : AROUND
    return [`${index}-${path.replaceAll('/', '-')}.ts`, `${around}${code}`] as const
  })
  const compilerOptions = {
    ...{
      target: 'ES2022',
      module: 'NodeNext',
      lib: ['ES2022', 'DOM'],
      types: [],
      strict: true,
      noEmit: true,
    },
    ...{ allowImportingTsExtensions: true, skipLibCheck: true },
    paths: {
      'keyturn-client': [fileURLToPath(new URL('src/sdk/index.ts', ROOT))],
      'expo-secure-store': ['./expo-secure-store.d.ts'],
    },
  }
  const folder = t.testdir({
    'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }),
    'package.json': '{"type": "module"}',
    'expo-secure-store.d.ts': EXPO,
    ...Object.fromEntries(files),
  })
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', ROOT))
  // By way of env, so that the test runner does not put its own instruments into the process.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, tsc, '-p', folder]
  const { status, stdout, stderr } = spawnSync('env', command, { encoding: 'utf8' })
  t.strictSame({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' })
  t.ok(files.length > 3)
})

t.test('Swift and Kotlin in the documents use routes, headers and members of the API', async (t) => {
  const api = JSON.stringify({ paths, components })
  for (const { path, language, code } of codeBlocks) {
    if (!['swift', 'kotlin'].includes(language)) continue
    const routes = [...code.matchAll(/(?:path: "|\$issuer\/)([\w/-]+)"/g)].map(([, route]) => `/${route}`)
    t.strictSame(routes, ['/token/refresh'], `${path}: ${language}`)
    const members = new Set(code.match(/\b[a-z]+(?:_[a-z]+)+\b/g))
    const used = ['access_token', 'expires_in', 'invalid_refresh_token', 'refresh_token']
    t.strictSame([...members].sort(), used, language)
    for (const member of members) t.ok(api.includes(`"${member}"`), member)
    t.match(code, /"Idempotency-Key"/)
  }
})
