import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { decodeKey } from '../config.ts'
import { MIN_ROOT_KEY_BYTES } from '../crypto/key-ring.ts'
import { DatabaseError } from '../platform/database.ts'
import { keyFilePath, sqlitePath } from '../platform/sqlite-files.ts'

/**
 * The root key of a service that was given none: made once and kept next to the SQLite file, readable only by the
 * owner of the file. Processes that start at the same time end up with the same key.
 *
 * @param mayMake `false` for a database that has sealed values already: a new key would not open them.
 * @throws {DatabaseError} when the file is missing, cannot be written, or does not hold a key.
 */
export function keptSecretKey(databaseUrl: string, { mayMake }: { mayMake: boolean }): Buffer {
  if (sqlitePath(databaseUrl) === ':memory:') return randomBytes(MIN_ROOT_KEY_BYTES)
  const path = keyFilePath(databaseUrl)
  const text = readIfThere(path) ?? (mayMake ? makeKeyFile(path) : undefined)
  if (text === undefined)
    throw new DatabaseError(
      `The key file ${path} is not there, and the database was sealed with its key. Restore it, or set SECRET_KEY.`,
    )
  const key = decodeKey(text.trim())
  if (!key)
    throw new DatabaseError(`The key file ${path} does not hold a key. Restore it, or set SECRET_KEY.`)
  return key
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new DatabaseError(`The key file ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Written under another name and then linked: the file appears with its whole content, and for one process only. */
function makeKeyFile(path: string): string {
  const draft = `${path}.${crypto.randomUUID()}`
  try {
    writeFileSync(draft, `${randomBytes(MIN_ROOT_KEY_BYTES).toString('base64')}\n`, {
      mode: 0o600,
      flush: true,
    })
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new DatabaseError(`The key file ${path} cannot be written: ${(error as Error).message}`, {
        cause: error,
      })
  } finally {
    unlinkQuietly(draft)
  }
  return readFileSync(path, 'utf8')
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {}
}
