import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startListening } from '../helpers/listening.ts'
import { newcomersEnvironment } from '../helpers/readme.ts'
import { PASSWORD } from '../helpers/service.ts'

/** What others install is the packed package, in a project of their own that knows nothing of this one. */

/** By way of env, so that the test runner does not put its own instruments into the process. */
const run = (
  program: string,
  parameters: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = newcomersEnvironment,
) =>
  promisify(execFile)('env', ['-u', 'NODE_OPTIONS', program, ...parameters], { cwd, env, timeout: 110_000 })
/** The machine may have an older one, which the command line refuses. */
const presentNode = {
  ...newcomersEnvironment,
  PATH: `${dirname(process.execPath)}${delimiter}${newcomersEnvironment.PATH}`,
}
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = `${ROOT}/node_modules/typescript/bin/tsc`

const PROGRAM = `import { createClient, unwrap } from 'keyturn/client'

const client = createClient({ url: process.argv[2] ?? '' })
const { user, enrolled } = unwrap(
  await client.POST('/register', { body: { username: 'ada', password: '${PASSWORD}' } }),
)
const { error } = await client.POST('/login', { body: { username: 'ada', password: 'wrong' } })
if (error?.code === 'invalid_credentials') console.log(user.username, enrolled, error.status)
`

/** What a type check must find: a path, a member and a code that do not exist. */
const MISTAKES = `import { createClient } from 'keyturn/client'

const client = createClient({ url: '' })
await client.POST('/regster', { body: { username: 'ada', password: 'x' } })
await client.POST('/login', { body: { user: 'ada', password: 'x' } })
const { error } = await client.GET('/me')
if (error?.code === 'wrong_token') console.log(error)
`

t.test(
  'the packed client and command line run in an empty project, and the client is typed there',
  async (t) => {
    const folder = t.testdir({
      'package.json': JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2022',
          lib: ['ES2022', 'DOM'],
          strict: true,
          noEmit: true,
          types: ['node'],
        },
        files: ['program.ts'],
      }),
      'program.ts': PROGRAM,
    })
    const npm = (cwd: string, ...parameters: string[]) => run('npm', parameters, cwd)
    const { stdout } = await npm(ROOT, 'pack', '--json', '--silent', '--pack-destination', folder)
    const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
    const names: string[] = files.map(({ path }: { path: string }) => path)
    t.ok(names.includes('src/server.ts'))
    t.strictSame(
      names.filter((name) => /^(test|data|node_modules)\//.test(name)),
      [],
    )

    // No scripts: nothing that the client needs is native.
    await npm(
      folder,
      'install',
      '--silent',
      '--prefer-offline',
      '--ignore-scripts',
      `./${filename}`,
      '@types/node',
    )
    const { issuer } = await startListening(t, { databaseUrl: `sqlite:${folder}/keyturn.db` })
    const ran = await run(process.execPath, ['program.ts', issuer], folder)
    t.equal(ran.stdout, 'ada false 401\n')

    const keyturn = (...parameters: string[]) =>
      run('npx', ['--no-install', 'keyturn', ...parameters], folder, presentNode)
    t.match((await keyturn('--help')).stdout, /^Usage: keyturn /)
    t.match(
      (await keyturn('migrate', 'up')).stdout,
      /^up: 0001-accounts, /,
      'the command line runs there too',
    )
    t.match(JSON.parse((await keyturn('openapi')).stdout), { openapi: /^3\.1/ })

    const check = () => run(process.execPath, [TSC, '-p', folder], folder)
    await check()
    writeFileSync(`${folder}/program.ts`, MISTAKES)
    const { stdout: found } = await check().catch((error) => error)
    for (const mistake of [/\(4,.*regster/, /\(5,.*user/, /\(7,.*wrong_token/]) t.match(found, mistake)
  },
)
