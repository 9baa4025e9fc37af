import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { rfc3339 } from '../../platform/clock.ts'
import { placeOf } from '../../platform/database.ts'
import { keyFileOf, sqlitePath } from '../../platform/sqlite-files.ts'
import { backUp, restore, type Whole } from '../backup.ts'
import { requireDatabase } from '../surroundings.ts'
import { answer, CommandFailed, confirm, counted } from '../terminal.ts'
import { MOST_SHOWN } from './audit.ts'

const BACKUP_ABOUT = `
The service may keep running. The file appears once it is complete and checked, and only its owner can read it. SECRET_KEY
is not in it: keep that elsewhere. For PostgreSQL, use pg_dump.

Examples:
  keyturn backup /backups/keyturn-$(date +%F).db
  keyturn backup /backups/keyturn.db --overwrite --json`

const RESTORE_ABOUT = `
Stop the service first. The backup stays as it is, and the database that it replaces is kept in the same folder. All
sessions end, because sessions that ended after the backup would come back. For PostgreSQL, use pg_restore.

Example:
  keyturn restore /backups/keyturn-2026-11-29.db`

export function registerBackup(program: Command): void {
  program
    .command('backup')
    .description('write a checked copy of the SQLite database, even while a service runs')
    .argument('<file>', 'a new file')
    .option('--overwrite', 'replace an existing file')
    .addHelpText('after', BACKUP_ABOUT)
    .action(async (file: string, { overwrite = false }: { overwrite?: boolean }, command: Command) => {
      const { databaseUrl } = readConfig(process.env)
      requireSqlite(databaseUrl, `pg_dump --format=custom --file=${file}`)
      requireDatabase(databaseUrl)
      const { bytes, ...whole } = await backUp(databaseUrl, file, { overwrite })
      const keyFile = keyFileOf(databaseUrl)
      answer(command, {
        json: { file, bytes, ...asJson(whole), secret_key_file: keyFile },
        text: `${file} has ${inWords(whole)} (${(bytes / 2 ** 20).toFixed(1)} MiB) and is sound.
SECRET_KEY${keyFile ? ` (in ${keyFile})` : ''} is not in it: keep that elsewhere.`,
      })
    })
}

export function registerRestore(program: Command): void {
  program
    .command('restore')
    .description('replace the SQLite database with a backup; the service must be stopped')
    .argument('<file>', 'a file that keyturn backup has written')
    .addHelpText('after', RESTORE_ABOUT)
    .action(async (file: string, _options, command: Command) => {
      const config = readConfig(process.env)
      requireSqlite(
        config.databaseUrl,
        `pg_restore --single-transaction --dbname=… ${file} into an emptied database`,
      )
      const path = sqlitePath(config.databaseUrl)
      const restored = await restore(config, file, (whole) =>
        confirm(command, `Replace ${path} with this backup, which has ${inWords(whole)}?`),
      )
      const { sessions, replaced, keyFault } = restored
      const since = rfc3339(restored.until)
      answer(command, {
        json: { file, ...asJson(restored), sessions_ended: sessions, replaced, key_fault: keyFault },
        text: `${path} has ${inWords(restored)}. ${counted(sessions, 'session')} ended: everyone has to sign in again.
Everything since then is undone: used recovery codes are good again, replaced passwords and authenticators are back, new
accounts are gone, and deleted accounts and revoked signing keys are back.
${
  replaced
    ? `The old database is now ${replaced}. This lists what has to be done again:
  DATABASE_URL=sqlite:${replaced} keyturn audit --since ${since} --limit ${MOST_SHOWN}`
    : 'Ask the people who changed a password or used a recovery code since to do it again.'
}${keyFault ? `\nThe service will not start on it yet: ${keyFault}` : ''}`,
      })
    })
}

function requireSqlite(databaseUrl: string, instead: string): void {
  if (!databaseUrl.startsWith('sqlite:'))
    throw new CommandFailed(
      `This is for SQLite. PostgreSQL (${placeOf(databaseUrl)}) has tools of its own: ${instead}. docs/backup.md says how.`,
    )
}

function inWords({ accounts, until }: Whole): string {
  return `${counted(accounts, 'account')}, as of ${until === 0 ? 'its creation' : rfc3339(until)}`
}

const asJson = ({ accounts, until }: Whole) => ({ accounts, as_of: until === 0 ? null : rfc3339(until) })
