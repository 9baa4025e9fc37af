import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { instructionSets } from '../../../src/crypto/argon2-builds.ts'
import { which } from './which.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Why `keyturn build-hash` cannot work on this machine; `false` where it can. */
export const cannotBuildHash: string | false =
  (!instructionSets()[0] && 'this processor has neither AVX-512 nor AVX2') ||
  (!['cc', 'g++', 'make', 'python3'].every(which) && 'it needs g++, make and python3')

/** A copy of this project that shares all its packages but `argon2`, in which something may be built. */
export function projectWithOwnArgon2(t: Test): string {
  const folder = t.testdir()
  mkdirSync(`${folder}/node_modules`)
  for (const name of readdirSync(`${ROOT}/node_modules`))
    if (name !== 'argon2' && !name.startsWith('.'))
      symlinkSync(`${ROOT}/node_modules/${name}`, `${folder}/node_modules/${name}`)
  for (const name of ['package.json', '.env.example', 'src', 'migrations', 'node_modules/argon2'])
    cpSync(`${ROOT}/${name}`, `${folder}/${name}`, {
      recursive: true,
      filter: (path) => !path.endsWith('/argon2/keyturn'),
    })
  return folder
}
