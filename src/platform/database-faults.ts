/** What keeps a database from storing anything. */
export interface DatabaseFault {
  /** For programs. */
  reason: string
  /** As a sentence goes on after "The database stores nothing: ". */
  words: string
  /** What an operator does about it. */
  advice: string
  /** What showed it. */
  error: unknown
}

/** By codes of SQLite, of the system and of PostgreSQL (its appendix A). The first that fits counts. */
const FAULTS: readonly [code: RegExp, reason: string, words: string, advice: string][] = [
  [
    /^SQLITE_READONLY_DBMOVED$/,
    'file_gone',
    'its file was deleted or replaced while it was open',
    'Stop the service, put the file or a backup back (keyturn restore), and start it.',
  ],
  [
    /^(SQLITE_FULL|ENOSPC|EDQUOT|53100)$/,
    'disk_full',
    'its disk is full',
    'Make room; the service goes on by itself.',
  ],
  [
    /^(SQLITE_IOERR|EIO$|58030$)/,
    'disk_error',
    'its disk does not take writes',
    'Look at the disk, its quota and the system log.',
  ],
  [
    /^(SQLITE_READONLY|EROFS$|25006$)/,
    'read_only',
    'it takes no writes: a file or disk without the right to, or a standby or read-only server',
    'Let DATABASE_URL name the primary, or give the right to write back.',
  ],
  [
    /^(SQLITE_BUSY|55P03$|57014$)/,
    'locked',
    'another program or transaction has it locked',
    'End what has it locked: another program with the file open, or a transaction that was left open.',
  ],
  [
    /^(EMFILE|ENFILE)$/,
    'no_descriptors',
    'this process has no file descriptor left',
    'Raise the limit (ulimit -n, LimitNOFILE), and see in the log who holds so many connections.',
  ],
  [
    /^53/,
    'crowded',
    'the server has no connection or memory left',
    'Lower DATABASE_POOL_SIZE, or raise max_connections.',
  ],
  [
    /^(42501$|28|EACCES$|EPERM$)/,
    'forbidden',
    'its user may not write',
    'Grant the rights of deploy/scale/roles.sql.',
  ],
  [/^(SQLITE_CORRUPT|SQLITE_NOTADB|XX)/, 'damaged', 'it is damaged', 'Restore a backup.'],
  [/^(E[A-Z_]+$|57P|08|none$)/, 'unreachable', 'it does not answer', 'See that it runs, and DATABASE_URL.'],
]

const OTHER = [/./, 'failed', 'a row could not be written', 'See the log for the error.'] as const

/** For an operator. */
export function explainFault({ words, advice }: DatabaseFault): string {
  return `The database stores nothing: ${words}. ${advice}`
}

/** Why nothing could be stored, by the error of the attempt or one of its causes. */
export function databaseFaultOf(error: unknown): DatabaseFault {
  const codes = codesOf(error)
  const [, reason, words, advice] = FAULTS.find(([code]) => codes.some((each) => code.test(each))) ?? OTHER
  return { reason, words, advice, error }
}

function codesOf(error: unknown): string[] {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return [String(code ?? 'none'), ...(cause ? codesOf(cause) : [])]
}
