import type { Command } from 'commander'
import { databaseUrlFault } from '../../config.ts'
import { placeOf } from '../../platform/database.ts'
import { keyFileOf } from '../../tokens/secret-key-file.ts'
import { copyDatabase } from '../copy/copy-database.ts'
import { answer, columns } from '../terminal/answer.ts'
import { Misused } from '../terminal/failures.ts'

const ABOUT = `
Sessions, tokens and authenticators go on working with the same SECRET_KEY. What was copied is compared in the end,
table by table. Broken off, it goes on where it was when it is run again. The password of PostgreSQL is read from
PGPASSWORD, and not taken as part of a URL: others on this machine can read what a command was called with.

Examples:
  keyturn copy --from sqlite:./data/keyturn.db --to postgres://keyturn_owner@db.example.com/keyturn
  keyturn copy --from postgres://keyturn_owner@db.example.com/keyturn --to sqlite:./data/keyturn.db`

/** One connection reads while the other writes. */
const POOL_SIZE = 2

export function registerCopy(program: Command): void {
  program
    .command('copy')
    .description(
      'copy everything into another database, whose engine may be another; the service must be stopped',
    )
    .requiredOption('--from <url>', 'the database that is there, as in DATABASE_URL')
    .requiredOption('--to <url>', 'an empty one; a copy that was broken off goes on')
    .addHelpText('after', ABOUT)
    .action(async ({ from, to }: { from: string; to: string }, command) => {
      for (const [option, url] of Object.entries({ '--from': from, '--to': to })) {
        const fault = databaseUrlFault(url)
        if (fault) throw new Misused(`${option} ${fault}`)
        if (URL.parse(url)?.password || /[?&]password=/.test(url))
          throw new Misused(
            `${option} has a password in it, which others on this machine could read: put it into PGPASSWORD.`,
          )
      }
      const { resumed, tables } = await copyDatabase(from, to, { poolSize: POOL_SIZE })
      const keyFile = keyFileOf(from)
      const rows = Object.entries(tables).map(([table, { rows, sha256 }]) => [table, String(rows), sha256])
      answer(command, {
        json: { from: placeOf(from), to: placeOf(to), resumed, tables, secret_key_file: keyFile },
        text: `${columns([['table', 'rows', 'checksum'], ...rows])}
Both databases hold the same. Start the service with the new DATABASE_URL, and the same ISSUER and SECRET_KEY${
          keyFile ? ` (it is in ${keyFile})` : ''
        }.`,
      })
    })
}
