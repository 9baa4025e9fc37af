import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/**
 * The vector instructions that the C source of the package `argon2` makes use of, the widest first. Compilers and
 * `/proc/cpuinfo` know them by these names. The binary that comes with the package uses none of them.
 */
export const INSTRUCTION_SETS = ['avx512f', 'avx2'] as const
export type InstructionSet = (typeof INSTRUCTION_SETS)[number]

/** Those that this processor has and its system lets programs use. Only Linux on x86-64 is asked. */
export function instructionSets(): readonly InstructionSet[] {
  if (process.platform !== 'linux' || process.arch !== 'x64') return []
  try {
    return instructionSetsIn(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    // A sandbox may hide it. Then no build is used.
    return []
  }
}

/** @param cpuinfo the text of `/proc/cpuinfo`. */
export function instructionSetsIn(cpuinfo: string): readonly InstructionSet[] {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(' ') ?? []
  return INSTRUCTION_SETS.filter((set) => flags.includes(set))
}

/** The folder of the package `argon2`. */
export const argon2Folder = (): string => dirname(require.resolve('argon2/package.json'))

/** Where in a folder node-gyp puts what it has built, and node-gyp-build looks for it. */
export const BUILT = 'build/Release/argon2.node'

/** Where `keyturn build-hash` keeps a build. In the package: a new version of its source takes the old builds along. */
export const buildFolder = (set: InstructionSet): string => join(argon2Folder(), 'keyturn', set)

export const isBuilt = (set: InstructionSet): boolean => existsSync(join(buildFolder(set), BUILT))

/**
 * The package `argon2` with the best build of `keyturn build-hash` that this processor can run.
 *
 * @param sets what the processor has: one instruction that it lacks would end the process.
 * @throws when there is none, or it cannot be loaded: it may come from another system.
 */
export function requireBuilt(sets: readonly InstructionSet[]): {
  argon2: typeof import('argon2')
  set: InstructionSet
} {
  const set = sets.find(isBuilt)
  if (!set) throw new Error('The package argon2 was not built for this processor')
  const { ARGON2_PREBUILD } = process.env
  // node-gyp-build takes the binary from there.
  process.env.ARGON2_PREBUILD = buildFolder(set)
  try {
    return { argon2: requireArgon2(), set }
  } finally {
    if (ARGON2_PREBUILD === undefined) delete process.env.ARGON2_PREBUILD
    else process.env.ARGON2_PREBUILD = ARGON2_PREBUILD
  }
}

/** The package `argon2` as it is installed. It is loaded again each time: the loaded one may have another binary. */
export function requireArgon2(): typeof import('argon2') {
  delete require.cache[require.resolve('argon2')]
  return require('argon2')
}
