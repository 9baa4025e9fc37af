import { randomUUID } from 'node:crypto'
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { sqlitePath } from '../../platform/sqlite.ts'
import { CommandFailed } from '../terminal/failures.ts'
import { copyWhole, syncToDisk, type Whole } from './whole-copy.ts'

/**
 * Writes a checked copy of a SQLite database, which a service may be using. The file appears whole or not at all.
 *
 * @param overwrite whether a file of that name gives way.
 * @throws {CommandFailed} when the file is there already, or is a database in use; when the database is not whole.
 */
export async function backUp(
  databaseUrl: string,
  file: string,
  { overwrite }: { overwrite: boolean },
): Promise<Whole & { bytes: number }> {
  const path = sqlitePath(databaseUrl)
  if (existsSync(`${file}-wal`) || isSame(file, path))
    throw new CommandFailed(`${file} is a database in use. Name another file.`)
  if (file === '' || statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new CommandFailed(`"${file}" is no file. Name one.`)
  if (existsSync(file) && !overwrite)
    throw new CommandFailed(`The file ${file} is there already. Name another one, or say --overwrite.`)
  const draft = `${file}.${randomUUID()}`
  try {
    const whole = await copyWhole(path, draft)
    renameSync(draft, file)
    syncToDisk(file)
    return { ...whole, bytes: statSync(file).size }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Whether two names mean one file. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino
}
