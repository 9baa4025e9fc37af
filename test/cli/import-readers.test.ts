import { Readable } from 'node:stream'
import BetterSqlite3 from 'better-sqlite3'
import t, { type Test } from 'tap'
import { readFieldMap } from '../../src/cli/import/fields.ts'
import { openFlaskTable } from '../../src/cli/import/flask.ts'
import { readCsv, readJsonLines } from '../../src/cli/import/read-file.ts'
import { FOREIGN_HASHES } from '../helpers/people/foreign-hashes.ts'

/** What is read of a file of accounts. (With the command, and with Flask itself: import-*.long.test.ts) */

const read = (lines: string[], map: string[] = [], ignore: string[] = []) =>
  Readable.from(readCsv(Readable.from([lines.join('\r\n')]), readFieldMap(map, ignore), ',')).toArray()

t.test('CSV: columns are mapped, quotes and a byte order mark are understood', async (t) => {
  const lines = ['\u{feff}login,email,last_seen', 'ada,"a ""b"", c",yesterday', '', 'grace,,today']
  t.strictSame(await read(lines, ['username=login'], ['last_seen']), [
    { place: 'line 2', values: { username: 'ada', email: 'a "b", c' } },
    { place: 'line 4', values: { username: 'grace', email: '' } },
  ])
  await t.rejects(read(lines), /columns login, last_seen are unknown: say --map/)
})

t.test('CSV: a fault is told with its line, and without what stands there', async (t) => {
  for (const [lines, fault] of [
    [['username,email', 'ada,"planted', 'grace,'], /a quote is opened and not closed/],
    [['username,email', 'ada,"planted"x'], /at line 2.*: something follows a closing quote/],
    [['username,email', 'ada,planted"x"'], /at line 2.*: a quote stands within a value/],
    [['username,email', 'planted'], /at line 2.*: it has more or fewer values/],
    [['username,email', `ada,${'planted'.repeat(10_000)}`], /a record has more than 65536 bytes/],
  ] as const) {
    const message = await read([...lines]).then(
      () => 'it is read',
      (error: Error) => error.message,
    )
    t.match(message, fault)
    t.notMatch(message, 'planted')
  }
})

/** A file as an app has it, with these statements done. */
function flaskFile(t: Test, statements: string): string {
  const file = `${t.testdir()}/app.db`
  const sqlite = new BetterSqlite3(file)
  sqlite.exec(statements)
  sqlite.close()
  return file
}

const HASH = FOREIGN_HASHES['Werkzeug pbkdf2:sha256']

t.test('JSON Lines: a line ends where it ends, and not within a text', async (t) => {
  const lines = [
    { username: 'ada', bio: 'one\u2028two\u2029three' },
    { username: 'grace', bio: '' },
  ]
  const text = lines.map((line) => JSON.stringify(line)).join('\r\n')
  // In pieces that end within a line, and within a letter.
  const bytes = Buffer.from(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) =>
    bytes.subarray(7 * n, 7 * n + 7),
  )
  const file = Readable.from(pieces, { objectMode: false })
  t.strictSame(await Readable.from(readJsonLines(file, readFieldMap([], ['bio']))).toArray(), [
    { place: 'line 1', values: { username: 'ada' } },
    { place: 'line 2', values: { username: 'grace' } },
  ])
})

t.test('Flask: a table under the usual names is found, an unconfirmed secret left behind', async (t) => {
  const file = flaskFile(
    t,
    `create table posts (id integer);
     create table user (username text, password_hash text, otp_secret text, otp_enabled integer);
     insert into user values ('ada', '${HASH}', 'JBSWY3DPEHPK3PXP', 1), ('grace', '${HASH}', 'JBSWY3DPEHPK3PXP', 0)`,
  )
  const table = openFlaskTable(file, {}, { longPasswords: false })
  t.teardown(() => table.close())
  t.match(table, { name: 'user', columns: { totp: 'otp_secret', enabled: 'otp_enabled' } })
  const [ada, grace] = await Readable.from(table.records()).toArray()
  t.match(ada, { values: { username: 'ada', password_hash: HASH, totp_secret: 'JBSWY3DPEHPK3PXP' } })
  t.match(grace, { values: { username: 'grace' } })
  t.notMatch(JSON.stringify(grace), 'JBSWY3DPEHPK3PXP')
})

t.test('Flask: what is not found, or cannot be read, is said', async (t) => {
  const file = flaskFile(t, 'create table members (nick text); create table user (id integer, name text)')
  const open = (path: string, columns: object) => () =>
    openFlaskTable(path, columns, { longPasswords: false })
  t.throws(open(file, {}), /no column with the usual name for the username. It has id, name/)
  t.throws(open(file, { table: 'nobody' }), /Say with --table .*members, user/)
  t.throws(open(file, { table: 'members', username: 'nick' }), /usual name for the password/)
  t.throws(open(`${t.testdirName}/none.db`, {}), /There is no file/)
  t.throws(open(import.meta.filename, {}), /cannot be (read|opened)/)
})
