import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Command, Option } from 'commander'
import {
  argon2Folder,
  BUILT,
  buildFolder,
  INSTRUCTION_SETS,
  type InstructionSet,
  instructionSets,
} from '../../crypto/argon2-builds.ts'
import { answer, CommandFailed } from '../terminal.ts'
import { betterEngine, compareEngines } from './tune.ts'

const run = promisify(execFile)

const SOURCES = ['argon2', 'argon2.cpp', 'binding.gyp']

/** What a build may lack, as node-gyp, make and the shell say it. */
const MISSING: [RegExp, string][] = [
  [/spawn npm ENOENT/, 'npm'],
  [/find any Python/i, 'Python 3'],
  [/not found: make/, 'make'],
  [/(cc|\+\+|clang|ar): (Permission denied|not found|No such file)/, 'a C++ compiler'],
  [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|node_api\.h/, 'the headers of Node.js, which nodejs.org has'],
]

/** From the tests of the reference code (P-H-C/phc-winner-argon2, src/test.c), as a PHC string. */
const VECTOR = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
const CHECK = `require(process.argv[1]).verify('${VECTOR}', 'password').then((same) => process.exit(same ? 0 : 1))`

/**
 * Compiles the package `argon2` with instructions that this processor has, in a copy. The service loads it from its next
 * start on. When it fails, everything is as before.
 *
 * @throws {CommandFailed}
 */
async function buildFor(set: InstructionSet): Promise<void> {
  const folder = argon2Folder()
  const copy = makeFolderIn(folder)
  try {
    for (const name of SOURCES) cpSync(join(folder, name), join(copy, name), { recursive: true })
    // npm brings node-gyp along, and lets scripts find it.
    writeFileSync(join(copy, 'package.json'), '{"private": true, "scripts": {"build": "node-gyp rebuild"}}')
    await run('npm', ['run', 'build'], { cwd: copy, env: buildEnvironment(set), maxBuffer: 2 ** 26 })
    // In a process of its own, which it may end.
    await run(process.execPath, ['-e', CHECK, folder], { env: { ...process.env, ARGON2_PREBUILD: copy } })
    const kept = join(buildFolder(set), BUILT)
    mkdirSync(dirname(kept), { recursive: true })
    renameSync(join(copy, BUILT), kept)
  } catch (error) {
    throw new CommandFailed(explain(error as Error & { stdout?: string; stderr?: string }))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function makeFolderIn(folder: string): string {
  try {
    return mkdtempSync(join(folder, 'keyturn-'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandFailed(
      `${folder} cannot be written (${code}): run this as the user who installs packages.`,
    )
  }
}

function buildEnvironment(set: InstructionSet): NodeJS.ProcessEnv {
  // The headers that came with this Node.js need not be fetched.
  const nodedir = dirname(dirname(process.execPath))
  return {
    ...process.env,
    CFLAGS: `${process.env.CFLAGS ?? ''} -m${set}`,
    ...(existsSync(join(nodedir, 'include/node/node_api.h')) && { npm_config_nodedir: nodedir }),
  }
}

function explain({
  message,
  stdout = '',
  stderr = '',
}: Error & { stdout?: string; stderr?: string }): string {
  const said = `${message}\n${stdout}\n${stderr}`
  const missing = MISSING.filter(([pattern]) => pattern.test(said)).map(([, name]) => name)
  if (message.includes(VECTOR))
    return 'What was built does not hash correctly. It is not used; nothing has changed.'
  if (missing.length === 0)
    return `The build failed, and nothing has changed:\n${said.trim().split('\n').slice(-20).join('\n')}`
  return `The build needs ${missing.join(' and ')}. Nothing has changed. On Debian: apt-get install g++ make python3`
}

const ABOUT = `
It takes a few seconds and needs g++, make and Python 3 (Debian: apt-get install g++ make python3). HASH_ENGINE=auto and
HASH_ENGINE=argon2 use the result from the next start, on processors with these instructions. npm ci removes it: run this
again afterwards.

Examples:
  keyturn build-hash
  keyturn build-hash --for avx2    for an image that runs on other machines too`

export function registerBuildHash(program: Command): void {
  program
    .command('build-hash')
    .description('compile the password hash for this processor, which makes logins cheaper')
    .addOption(
      new Option(
        '--for <instructions>',
        'instructions to use; by default the widest of this processor',
      ).choices(INSTRUCTION_SETS),
    )
    .addHelpText('after', ABOUT)
    .action(async ({ for: wanted }: { for?: InstructionSet }, command) => {
      const sets = instructionSets()
      const set = wanted ?? sets[0]
      if (!set || !sets.includes(set))
        throw new CommandFailed(
          `This needs Linux on an x86-64 processor with ${wanted ?? INSTRUCTION_SETS.join(' or ')}. Nothing has changed.`,
        )
      await buildFor(set)
      const engines = await compareEngines()
      const better = betterEngine(engines, engines[0]?.name ?? '')
      answer(command, {
        json: { built_for: set, engines },
        text: [
          `argon2 is built for ${set}. The service uses it from its next start on, unless HASH_ENGINE=node-rs.`,
          ...engines.map(({ name, ms }) => `${ms.toFixed(1).padStart(8)} ms a hash by ${name}`),
          ...(better ? [better] : []),
        ].join('\n'),
      })
    })
}
