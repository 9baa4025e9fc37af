import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { explainSqlite } from '../../src/platform/sqlite-faults.ts'

/** What keeps a SQLite database from being opened, in words that tell what to do. */

const fault = (code: string) => new BetterSqlite3.SqliteError('disk I/O error', code)

t.test('a full disk is told from one that is damaged', async (t) => {
  const full = /^The database .*keyturn\.db cannot be written: its disk is full\. Make room\.$/
  // The system's own files have no room for others, as statfs has it.
  for (const code of ['SQLITE_IOERR_SHMSIZE', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR'])
    t.match(explainSqlite('/proc/keyturn.db', fault(code)), full, code)
  const path = `${t.testdir()}/keyturn.db`
  for (const code of ['SQLITE_FULL', 'ENOSPC', 'EDQUOT'])
    t.match(explainSqlite(path, Object.assign(new Error('x'), { code })), full, code)
  for (const place of [path, '/nowhere/keyturn.db'])
    t.match(
      explainSqlite(place, fault('SQLITE_IOERR_FSYNC')),
      /its disk does not take writes \(SQLITE_IOERR_FSYNC\)\. Look at the disk, its quota and the system log\.$/,
    )
})
