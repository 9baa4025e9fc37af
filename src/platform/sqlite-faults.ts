import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseError } from './database-errors.ts'

/**
 * What is wrong with a file, as a sentence.
 *
 * @param hadLog whether there was a write-ahead log before it was opened.
 */
export function explainSqlite(path: string, error: unknown, { hadLog = false } = {}): string {
  if (error instanceof DatabaseError) return error.message
  const code = (error as { code?: string }).code ?? ''
  if (code === 'SQLITE_NOTADB') return `The file ${path} is not a SQLite database.`
  if (code.startsWith('SQLITE_CORRUPT'))
    return `The SQLite database ${path} is damaged.${hadLog ? ` ${STRANGE_LOG}` : ''}`
  if (code === 'SQLITE_READONLY' || code === 'EACCES' || code === 'EROFS' || code === 'SQLITE_CANTOPEN')
    return `The database ${path} cannot be opened for writing. Check the path and its permissions.`
  if (code.startsWith('SQLITE_BUSY')) return `The database ${path} is locked by another program.`
  const failed = code.startsWith('SQLITE_IOERR')
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)$/.test(code) || (failed && isFull(dirname(path))))
    return `The database ${path} cannot be written: its disk is full. Make room.`
  if (failed)
    return `The database ${path} cannot be opened: its disk does not take writes (${code}). Look at the disk, its quota and the system log.`
  return `The database ${path} cannot be opened: ${(error as Error).message}`
}

/** For a damaged one that has a write-ahead log. */
export const STRANGE_LOG =
  'If it was copied there by hand, the write-ahead log (-wal) is that of the previous database and does not fit: use keyturn restore, which takes it away.'

/** What SQLite needs to open a database: the index of its log, and a page of it. */
const LEAST_BYTES = 64 * 1024

/** SQLite calls a disk damaged that has no room for the index of the log. */
function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < LEAST_BYTES
  } catch {
    return false
  }
}
