import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Config, SECRETS } from '../../config.ts'
import { loadArgon2Engine, OWASP_LEAST_WORK } from '../../crypto/argon2-engine.ts'
import { DatabaseError } from '../../platform/database.ts'
import { isThere, keyFileOf, keyFilePath, sqlitePath, statOf } from '../../platform/sqlite-files.ts'
import { fail, ok, type Result, warn } from './finding.ts'

const OTHERS = 0o077
const FAIL_BYTES = 64 * 2 ** 20
const WARN_BYTES = 512 * 2 ** 20

const fileOf = ({ databaseUrl }: Pick<Config, 'databaseUrl'>) =>
  databaseUrl.startsWith('sqlite:') ? sqlitePath(databaseUrl) : undefined

/** What cannot be seen cannot be checked. */
export function asSeen(check: () => Result[]): Result[] {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    return [fail(error.message, 'Run this as the user of the service.')]
  }
}

/** Checks who can read secret files. @throws {DatabaseError} when this user may not look where they are. */
export function checkFiles(config: Config, environment: NodeJS.ProcessEnv): Result[] {
  const { databaseUrl, secretKeys } = config
  const path = fileOf(config)
  const results = [
    ...(path ? [path, `${path}-wal`].map((file) => checkMode(file, warn)) : []),
    checkMode('.env', warn),
    ...SECRETS.map((name) => checkMode(environment[`${name}_FILE`]?.trim() ?? '', fail)),
    ...(path && !secretKeys ? [checkMode(keyFilePath(databaseUrl), fail), keyBeside(databaseUrl)] : []),
  ].filter((result) => result !== null)
  return results.length > 0 ? results : [ok('only their owner can read the secret files')]
}

function checkMode(file: string, say: typeof warn): Result | null {
  const found = file ? statOf(file) : undefined
  const mode = Number(found?.mode ?? 0)
  if ((mode & OTHERS) === 0) return null
  // A folder that only its owner can enter protects the files in it.
  if (say === warn && (statSync(dirname(file)).mode & OTHERS) === 0) return null
  return say(`${file} has mode ${(mode & 0o777).toString(8)}: others can get at it`, `chmod 600 ${file}`)
}

function keyBeside(databaseUrl: string): Result | null {
  if (keyFileOf(databaseUrl) === null) return null
  return warn(
    `the key is next to the database, in ${keyFilePath(databaseUrl)}`,
    'Fine for trying it out. In production, set SECRET_KEY or SECRET_KEY_FILE, and keep the key out of database backups.',
  )
}

/** Checks how much space is left where SQLite writes. @throws {DatabaseError} when this user may not look there. */
export function checkDisk(config: Config): Result[] {
  const folder = dirname(fileOf(config) ?? '')
  if (!fileOf(config) || !isThere(folder, fileOf(config))) return []
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const words = `${(free / 2 ** 20).toFixed(0)} MiB are free in ${folder}`
  const advice = 'Make room: when the disk is full, no one can sign in.'
  if (free < FAIL_BYTES) return [fail(words, advice)]
  return [free < WARN_BYTES ? warn(words, advice) : ok(words)]
}

const SLOW_MS = 1_000
const ROUNDS = 3

/** Reports which library hashes, at what cost, and how long a hash takes here. */
export async function checkHashing({ hashEngine, argon2, hashConcurrency }: Config): Promise<Result[]> {
  const engine = await loadArgon2Engine(hashEngine)
  await engine.hash('warm up', argon2)
  const startedAt = performance.now()
  for (let round = 0; round < ROUNDS; round += 1) await engine.hash('how long does it take', argon2)
  const ms = (performance.now() - startedAt) / ROUNDS

  const { memoryKib, passes, parallelism } = argon2
  const words = `argon2id m=${memoryKib},t=${passes},p=${parallelism} by ${engine.name}, ${ms.toFixed(0)} ms each, ${hashConcurrency} at a time`
  if (memoryKib * passes < OWASP_LEAST_WORK)
    return [warn(`${words}: cheaper than OWASP recommends`, 'Raise ARGON2_MEMORY_KIB or ARGON2_TIME.')]
  return [ms > SLOW_MS ? warn(`${words}: people wait`, 'Lower ARGON2_MEMORY_KIB or ARGON2_TIME.') : ok(words)]
}
