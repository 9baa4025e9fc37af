import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { instructionSets } from '../../src/crypto/argon2-builds.ts'
import { cannotBuildHash, projectWithOwnArgon2 } from '../helpers/programs/own-argon2.ts'
import { which } from '../helpers/programs/which.ts'

/** An operator compiles the password hash for the processor: it is used, or nothing has changed. */

const [best] = instructionSets()
const skip = cannotBuildHash
const folder = projectWithOwnArgon2(t)
const argon2 = `${folder}/node_modules/argon2`
const asItComes = readdirSync(argon2, { recursive: true }).sort()

/** By way of env, so that the test runner does not put its own instruments into the process. */
const keyturn = (parameters: string[], environment: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, 'src/cli/keyturn.js', ...parameters, '--json'],
    { cwd: folder, env: { ...process.env, ...environment } },
  ).then(
    (said) => ({ code: 0, ...said }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )

t.test('without a compiler it says what is missing, and changes nothing', { skip }, async (t) => {
  const bin = t.testdir()
  for (const tool of ['env', 'node', 'npm', 'sh']) symlinkSync(which(tool) ?? '', `${bin}/${tool}`)
  const needs = async (tool: string) => {
    const { code, stdout, stderr } = await keyturn(['build-hash'], { PATH: bin })
    t.match({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr, new RegExp(`The build needs ${tool}\\. Nothing has changed\\..*apt-get install`))
    t.strictSame(readdirSync(argon2, { recursive: true }).sort(), asItComes)
  }
  await needs('Python 3')
  // What is found first may be a script that looks for the real one.
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  symlinkSync(python.trim(), `${bin}/python3`)
  await needs('make')
  for (const tool of ['make', 'rm', 'mkdir', 'dirname', 'touch', 'uname', 'printf'])
    symlinkSync(which(tool) ?? '', `${bin}/${tool}`)
  await needs(String.raw`a C\+\+ compiler`)
})

t.test('it wants no instructions that there are not', async (t) => {
  t.match(await keyturn(['build-hash', '--for', 'mmx']), { code: 2, stderr: /avx512f, avx2/ })
})

t.test('what computes something else than argon2id is not used', { skip }, async (t) => {
  const source = `${argon2}/argon2/src/blake2/blake2b.c`
  const text = readFileSync(source, 'utf8')
  writeFileSync(source, text.replace('0x6a09e667f3bcc908', '0x6a09e667f3bcc909'))
  const refused = await keyturn(['build-hash'])
  writeFileSync(source, text)
  t.match(refused, { code: 1, stdout: '', stderr: /does not hash correctly. It is not used/ })
  t.strictSame(readdirSync(argon2, { recursive: true }).sort(), asItComes)
})

t.test('it compiles the hash for this processor, and the service uses it', { skip }, async (t) => {
  const tuned = async () => JSON.parse((await keyturn(['tune', '--ms', '1'])).stdout)
  t.match(await tuned(), { engine: 'node-rs', build_for: best })

  const name = `argon2 built for ${best}`
  const built = await keyturn(['build-hash'])
  t.match(
    JSON.parse(built.stdout || '{}'),
    { built_for: best, engines: [{ name }, { name: 'node-rs' }] },
    built.stderr,
  )
  t.strictSame(
    readdirSync(argon2, { recursive: true }).sort(),
    [
      ...asItComes,
      'keyturn',
      `keyturn/${best}`,
      `keyturn/${best}/build`,
      `keyturn/${best}/build/Release`,
      `keyturn/${best}/build/Release/argon2.node`,
    ].sort(),
    'and leaves nothing else behind',
  )
  t.match(await tuned(), { engine: name, build_for: null })

  const binary = () => readFileSync(`${argon2}/keyturn/${best}/build/Release/argon2.node`)
  const before = binary()
  mkdirSync(`${folder}/bin`)
  symlinkSync(which('false') ?? '', `${folder}/bin/cc`)
  t.match(await keyturn(['build-hash'], { PATH: `${folder}/bin:${process.env.PATH}` }), { code: 1 })
  t.ok(binary().equals(before), 'a later build that fails leaves the one before')
})
