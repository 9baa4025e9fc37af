import { existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Config, SECRETS } from '../../config.ts'
import { keyFilePath, sqlitePath } from '../../platform/sqlite.ts'
import { keyFileOf } from '../../tokens/secret-key-file.ts'
import { type Finding, findingsOf } from './finding.ts'

const files = findingsOf('files')
const disk = findingsOf('disk')

const OTHERS = 0o077
const FAIL_BYTES = 64 * 2 ** 20
const WARN_BYTES = 512 * 2 ** 20

/** Checks who can read secret files, and how much space is left. */
export function checkFiles({ databaseUrl, secretKeys }: Config, environment: NodeJS.ProcessEnv): Finding[] {
  const path = databaseUrl.startsWith('sqlite:') ? sqlitePath(databaseUrl) : undefined
  const findings = [
    ...(path ? [path, `${path}-wal`].map((file) => checkMode(file, 'warn')) : []),
    checkMode('.env', 'warn'),
    ...SECRETS.map((name) => checkMode(environment[`${name}_FILE`]?.trim() ?? '', 'fail')),
    ...(path && !secretKeys
      ? [checkMode(keyFilePath(databaseUrl), 'fail'), keyBesideDatabase(databaseUrl)]
      : []),
  ].filter((finding) => finding !== null)
  if (findings.length === 0) findings.push(files.ok('what is secret is readable by its owner alone'))
  return path && existsSync(dirname(path)) ? [...findings, checkDisk(dirname(path))] : findings
}

function checkMode(file: string, status: 'warn' | 'fail'): Finding | null {
  const found = file ? statSync(file, { throwIfNoEntry: false }) : undefined
  if (!found || (found.mode & OTHERS) === 0) return null
  // A folder that only its owner can enter protects the files in it.
  if (status === 'warn' && (statSync(dirname(file)).mode & OTHERS) === 0) return null
  const mode = (found.mode & 0o777).toString(8)
  return files[status](`${file} has mode ${mode}: others can get at it`, `chmod 600 ${file}`)
}

function keyBesideDatabase(databaseUrl: string): Finding | null {
  if (keyFileOf(databaseUrl) === null) return null
  return files.warn(
    `the key lies beside the database, in ${keyFilePath(databaseUrl)}`,
    'Good for trying out. In production, give SECRET_KEY or SECRET_KEY_FILE, and keep it out of the backups of the database.',
  )
}

function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const words = `${(free / 2 ** 20).toFixed(0)} MiB are free in ${folder}`
  const advice = 'Make room: when the disk is full, nobody can sign in.'
  if (free < FAIL_BYTES) return disk.fail(words, advice)
  return free < WARN_BYTES ? disk.warn(words, advice) : disk.ok(words)
}
