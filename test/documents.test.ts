import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { parse } from 'yaml'
import { CODE_POLICY, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS } from '../src/attempts/policies.ts'
import { EVENTS } from '../src/audit/events.ts'
import { MAX_ATTEMPTS } from '../src/challenges/challenges.ts'
import { registerCommands } from '../src/cli/command-line.ts'
import { readConfig } from '../src/config.ts'
import { oauthCodes, problemCodes, problemStatus } from '../src/errors.ts'
import { RATE_LIMITS } from '../src/http/rate-limits.ts'
import { ABSOLUTE_LIFETIMES } from '../src/tokens/sessions.ts'
import { documents, inBackticks, page, proseOf, tableRows } from './helpers/documents/readme.ts'
import { compliance, requirements, securityPolicy } from './helpers/documents/security-table.ts'
import { readPng } from './helpers/programs/qr-reader.ts'

const ROOT = new URL('../', import.meta.url)

/** The names that the configuration asks the environment for. */
function variables(): string[] {
  const asked = new Set<string>()
  const environment = new Proxy<NodeJS.ProcessEnv>({}, { get: (_, name) => void asked.add(String(name)) })
  readConfig(environment)
  asked.delete('NODE_ENV')
  return [...asked].sort()
}

t.test(
  'the documents and .env.example name every variable that the service reads, and no other',
  async (t) => {
    const documented = tableRows(page('settings'), 'Settings').flatMap(([names]) => inBackticks(names))
    t.same(documented.sort(), variables())

    const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
    const inExample = [...example.matchAll(/^#([A-Z0-9_]+)=/gm)].map(([, name]) => name)
    t.same(inExample.sort(), variables())
  },
)

t.test('the documents name every operation of the API under who may call it', async (t) => {
  const { paths } = JSON.parse(readFileSync(new URL('../openapi/openapi.json', import.meta.url), 'utf8'))
  const [open, mfa, access, account] = tableRows(page('contract'), 'Who may call what')
    .slice(1)
    .map(([, routes]) => inBackticks(routes))
  const named = {
    mfaToken: [...(mfa ?? [])].sort(),
    accessToken: access?.sort(),
    accountToken: account?.sort(),
    anybody: open?.sort(),
  }

  const documented: Record<string, string[]> = {
    anybody: [],
    mfaToken: [],
    accessToken: [],
    accountToken: [],
  }
  for (const [path, operations] of Object.entries<Record<string, { security: object[] }>>(paths))
    for (const [method, { security }] of Object.entries(operations))
      for (const scheme of security?.length ? security.flatMap(Object.keys) : ['anybody'])
        documented[scheme]?.push(`${method.toUpperCase()} ${path}`)
  for (const operations of Object.values(documented)) operations.sort()
  t.same(named, documented)
})

t.test('the documents name every command, and each has help with an example', async (t) => {
  const program = new Command('keyturn')
  registerCommands(program)
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
  const nameOf = (command: Command): string =>
    command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()

  const named = tableRows(page('command-line'), 'The command line')
    .slice(1)
    .flatMap(([names]) => inBackticks(names))
  const there = leaves(program).map((command) => nameOf(command).replace('import file', 'import'))
  t.same(named.sort(), there.sort())
  for (const command of leaves(program)) {
    const help: string[] = []
    command.configureOutput({ writeOut: (text) => help.push(text) }).outputHelp()
    t.match(
      help.join(''),
      new RegExp(`Examples?[:,](.|\\n)*  .*keyturn ${nameOf(command).replace(' file', '')}`),
    )
    t.ok(command.description(), nameOf(command))
  }
})

t.test('the documents name every problem code under its status', async (t) => {
  const rows = tableRows(page('errors'), 'Errors').slice(1)
  t.same(rows.flatMap(([, codes]) => inBackticks(codes)).sort(), [...problemCodes].sort())
  const ofOAuth = tableRows(page('errors'), 'OAuth endpoints').slice(1)
  t.same(ofOAuth.flatMap(([, codes]) => inBackticks(codes)).sort(), [...oauthCodes].sort())
  rows.push(...ofOAuth)
  for (const [statuses = '', codes] of rows)
    for (const code of inBackticks(codes))
      t.ok(statuses.includes(String(problemStatus(code as (typeof problemCodes)[number]))), code)
})

t.test('the limits in the documents are those of the service', async (t) => {
  const rows = tableRows(page('limits'), 'Limits')
  for (const [group, requests] of Object.entries(RATE_LIMITS))
    t.ok(
      rows.some(([name = '', limit]) => name.startsWith(`\`${group}\``) && limit === String(requests)),
      group,
    )
  const limitOf = (what: string) => rows.find(([name]) => name?.startsWith(what))?.[1]
  t.match(limitOf('wrong codes for one mfa token'), new RegExp(`^${MAX_ATTEMPTS},`))
  const { from, last } = CODE_POLICY
  t.match(
    limitOf('wrong codes in a row'),
    `from the ${from}th on a pause: ${FIRST_PAUSE_SECONDS} s, doubling up to ${LONGEST_PAUSE_SECONDS / 60} min. After the ${last}th`,
  )
})

t.test('the documents give a reason for each dependency', async (t) => {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const rows = tableRows(page('development'), 'Dependencies').flatMap(([names]) => inBackticks(names))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
    t.ok(rows.includes(name), name)
  const [, development = ''] = page('development').split('For development:')
  for (const name of Object.keys(devDependencies).filter((name) => !name.startsWith('@types/')))
    t.ok(rows.includes(name) || development.includes(`\`${name}\``), name)
})

/** The anchors that a forge gives the headings of a text. */
function anchorsOf(text: string): Set<string> {
  const headings = [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
  )
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

t.test('the links of the documents lead to files of this project, and to headings in them', async (t) => {
  for (const [name, text] of documents)
    for (const [, target = ''] of text.matchAll(/(?:\]\(|(?:src|srcset)=")(?!https?:)([^)"]+)[)"]/g)) {
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? name : join(dirname(name), file)
      t.ok(existsSync(new URL(`../${path}`, import.meta.url)), `${name}: ${target}`)
      if (anchor !== undefined)
        t.ok(anchorsOf(documents.get(path) ?? '').has(anchor), `${name}: ${target} is a heading`)
    }
})

/** A drawing of docs/pictures/. */
const drawing = (name: string) => readFileSync(new URL(`docs/pictures/${name}.svg`, ROOT), 'utf8')

t.test('the drawing of the tokens has the tokens of the contract, and how long they live', async (t) => {
  const drawn = [
    ...drawing('tokens').matchAll(/class="name middle".*?>(.*?)<.*?class="quiet middle".*?>(.*?)</g),
  ]
  const contract = tableRows(page('contract'), 'Tokens').filter(([token]) => token?.endsWith(' token'))
  const lives = contract.map(([token, , life = '']) => [
    token,
    life.replace(/^(\d+) s\b/, (_, seconds) => `${seconds / 60} minutes`).replace(/ ?[(,].*/, ''),
  ])
  const ofThem = drawn.map(([, token, life]) => [token, life]).filter(([token]) => token !== 'mailed token')
  t.strictSame(ofThem.sort(), lives.sort())
})

t.test('the drawing of several replicas has each part of docker-compose.production.yml', async (t) => {
  const { services } = parse(readFileSync(new URL('docker-compose.production.yml', ROOT), 'utf8'))
  const drawn = [...drawing('scaled').matchAll(/<g id="(.*?)"/g)].map(([, part]) => part)
  t.strictSame(drawn.sort(), Object.keys(services).sort())
  const settings = [...drawing('scaled').matchAll(/>([A-Z_]{6,})</g)].map(([, name = '']) => name)
  t.equal(settings.length, 4)
  for (const name of settings) t.ok(variables().includes(name), name)
})

t.test('each picture is in a document, and each SVG is for light and for dark pages', async (t) => {
  const text = [...documents.values()].join('\n')
  for (const path of globSync('docs/pictures/*', { cwd: ROOT })) {
    t.ok(text.includes(path.replace('docs/', '')), path)
    if (!path.endsWith('.svg')) continue
    t.match(readFileSync(new URL(path, ROOT), 'utf8'), /<title.*<\/title>.*prefers-color-scheme:dark/s, path)
  }
})

t.test('the QR codes on the pictures of Swagger UI can be scanned', async (t) => {
  for (const name of ['swagger-ui', 'swagger-ui-dark'])
    t.match(
      readPng(readFileSync(new URL(`docs/pictures/${name}.png`, ROOT))),
      /^otpauth:\/\/totp\/Keyturn:ada/,
      name,
    )
})

/** What running adds to the files of the project. */
const MADE = ['data/', 'dist/', 'node_modules/', 'test/bench/results/']

t.test('the files and folders that the documents name are there', async (t) => {
  for (const [name, text] of documents) {
    // The changelog tells of what was, too.
    if (name === 'CHANGELOG.md') continue
    const paths = inBackticks(proseOf(text)).filter((path) =>
      /^[\w.*-]+(\/[\w.*-]+)*(\/|\/[\w.*-]+\.[jt]s)$/.test(path),
    )
    for (const path of paths)
      t.ok(
        // Folders of src/ go by their name where all of src/ is described.
        MADE.includes(path) ||
          ['', 'src/'].some((root) => globSync(`${root}${path}`, { cwd: ROOT }).length > 0),
        `${name}: ${path}`,
      )
  }
})

t.test('the workflows run .ci/run, and an action in them is a commit and not a name', async (t) => {
  const workflows = globSync('.github/workflows/*.yml', { cwd: ROOT }).map((path) =>
    readFileSync(new URL(path, ROOT), 'utf8'),
  )
  t.match(workflows.join(''), /- run: \.ci\/run$/m)
  for (const [, action = ''] of workflows.join('').matchAll(/\buses: *(\S+)/g))
    t.match(action, /^[\w./-]+@[0-9a-f]{40}$/)
})

t.test('the front page has 10 KB at most', async (t) => {
  t.ok(Buffer.byteLength(documents.get('README.md') ?? '') <= 10_240)
})

t.test('the index of docs/ names every page', async (t) => {
  const index = documents.get('docs/README.md') ?? ''
  const decisions = documents.get('docs/decisions/README.md') ?? ''
  for (const path of documents.keys()) {
    if (!path.startsWith('docs/') || path.endsWith('README.md')) continue
    const [list, link] = path.startsWith('docs/decisions/')
      ? [decisions, path.slice('docs/decisions/'.length)]
      : [index, path.slice('docs/'.length)]
    t.ok(list.includes(`](${link})`), path)
  }
})

t.test('SECURITY.md says how soon a vulnerable dependency is replaced', async (t) => {
  const text = securityPolicy.replace(/\s+/g, ' ')
  t.match(
    text,
    /A dependency with a known vulnerability .* within 7 days when .* critical or high, and within 30 days/,
  )
})

t.test('SECURITY.md says how long sessions live, and which events are recorded', async (t) => {
  const { refreshTokenTtl, accessTokenTtl } = readConfig({})
  const text = securityPolicy.replace(/\s+/g, ' ')
  t.match(text, `${refreshTokenTtl / 86_400} days without use`)
  t.match(text, `${(ABSOLUTE_LIFETIMES * refreshTokenTtl) / 86_400} days after the sign-in`)
  t.match(text, `${accessTokenTtl / 60} minutes`)
  const [, events = ''] = /^### What is recorded$(.*?)^#/ms.exec(securityPolicy) ?? []
  t.strictSame(
    inBackticks(events)
      .filter((name) => name in EVENTS)
      .sort(),
    Object.keys(EVENTS).sort(),
  )
})

t.test('SECURITY.md names every algorithm in use', async (t) => {
  const rows = tableRows(securityPolicy, 'Algorithms and keys').slice(1)
  const named = rows.map(([algorithm]) => algorithm).join('\n')
  const source = globSync('src/{challenges,crypto,factors,tokens}/**/*.ts', { cwd: ROOT })
    .map((path) => readFileSync(new URL(path, ROOT), 'utf8'))
    .join('\n')
  const names: Record<string, RegExp> = {
    argon2id: /argon2id/,
    'AES-256-GCM': /createCipheriv\('aes-256-gcm'/,
    'HMAC-SHA-256': /createHmac\('sha256'/,
    'HKDF-SHA-256': /hkdfSync\('sha256'/,
    'SHA-256': /createHash\('sha256'/,
    ES256: /'ES256'/,
    EdDSA: /'EdDSA'/,
    HS256: /'HS256'/,
    'HMAC-SHA-1': /otplib/,
    PBKDF2: /promisify\(pbkdf2\)/,
    scrypt: /\(scrypt\)/,
    bcrypt: /@node-rs\/bcrypt/,
  }
  for (const [name, use] of Object.entries(names)) {
    t.match(source, use, `${name} is in use`)
    t.match(named, name)
  }
  const primitive = /create(?:Hash|Hmac|Cipheriv|Decipheriv)\('([^']+)'|hkdfSync\('([^']+)'/g
  for (const [, one, other] of source.matchAll(primitive))
    t.ok(['sha256', 'aes-256-gcm'].includes(one ?? other ?? ''), `${one ?? other} is among them`)
})

t.test('SECURITY.md says of every table what is kept in it', async (t) => {
  const rows = tableRows(securityPolicy, 'What is kept').slice(1)
  const named = rows.flatMap(([, tables]) => inBackticks(tables))
  // The table in platform/ is Kysely's own: which migrations have run.
  const declared = globSync('src/**/tables.ts', { cwd: ROOT, exclude: ['src/platform/**'] })
    .map((path) => /interface Tables \{(.*?)\}/s.exec(readFileSync(new URL(path, ROOT), 'utf8'))?.[1] ?? '')
    .flatMap((members) => [...members.matchAll(/^ +(\w+):/gm)].map(([, name]) => name))
  t.strictSame([...new Set(named)].sort(), declared.sort())
})

t.test(
  'every line of the tables in docs/compliance.md names tests that are there, or says why it is not met',
  async (t) => {
    t.equal(requirements().length, compliance.match(/^\| \d/gm)?.length, 'every line is read')
    for (const { id, shown, tests } of requirements()) {
      t.ok(tests.length > 0 !== /^\*\*not met\*\*: .{10}/.test(shown), `${id}: either or`)
      for (const { file, titles } of tests) {
        t.match(file, /\.test\.ts$/, `${id}: ${file}`)
        const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
        for (const title of titles) t.ok(source.includes(title), `${id}: ${file} has “${title}”`)
      }
    }
  },
)

t.test('docs/compliance.md counts the lines that are not met as they are', async (t) => {
  const [, asvs = ''] = /^## OWASP ASVS 5.0$(.*?)^## /ms.exec(compliance) ?? []
  const count = (level: number, shown = '') =>
    asvs.match(new RegExp(`^\\| [\\d.]+ \\| ${level} \\|.*${shown}`, 'gm'))?.length ?? 0
  const text = asvs.replace(/\s+/g, ' ')
  for (const level of [1, 2]) {
    const [all, unmet] = [count(level), count(level, '\\*\\*not met')]
    t.match(
      text,
      `${all} ${level === 1 ? 'requirements ' : ''}of level ${level}, ${all - unmet} are met and ${unmet} are not`,
    )
  }

  const [, nist = ''] = /^## NIST SP 800-63B-4$(.*)/ms.exec(compliance) ?? []
  const lines = nist.match(/^\| \d.*$/gm) ?? []
  const met = lines.filter((line) => !line.includes('**not met'))
  t.match(nist, `${met.length} of ${lines.length} lines are met`)
})
