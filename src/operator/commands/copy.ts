import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import { databaseUrlFault } from '../../config.ts'
import { placeOf } from '../../platform/database.ts'
import { keyFileOf } from '../../platform/secret-key-file.ts'
import { answer, columns } from '../answer.ts'
import { copyDatabase, type Progress } from '../copy-database.ts'
import { Misused } from '../failures.ts'

/** One connection reads while another one writes. */
const POOL_SIZE = 2

export function registerCopy(program: Command): void {
  program
    .command('copy')
    .description(
      'copy everything into another database, whose engine may be another; the service must be stopped',
    )
    .requiredOption('--from <url>', 'the database that is there, as in DATABASE_URL')
    .requiredOption('--to <url>', 'an empty one; a copy that was broken off goes on')
    .action(async ({ from, to }: { from: string; to: string }, command) => {
      for (const [option, url] of Object.entries({ '--from': from, '--to': to })) {
        const fault = databaseUrlFault(url)
        if (fault) throw new Misused(`${option} ${fault}`)
      }
      const bar = makeBar(command)
      const { resumed, tables } = await copyDatabase(from, to, {
        poolSize: POOL_SIZE,
        progress: bar,
      }).finally(() => bar.stop())
      const keyFile = keyFileOf(from)
      const rows = Object.entries(tables).map(([table, digest]) => [
        table,
        String(digest.rows),
        digest.sha256,
      ])
      answer(command, {
        json: { from: placeOf(from), to: placeOf(to), resumed, tables, secret_key_file: keyFile },
        text: `${columns([['table', 'rows', 'checksum'], ...rows])}
Both databases hold the same. Start the service with the new DATABASE_URL, and the same ISSUER and SECRET_KEY${
          keyFile ? ` (it is in ${keyFile})` : ''
        }.`,
      })
    })
}

/** A bar for people at a terminal, on stderr. */
function makeBar(command: Command): Progress & { stop(): void } {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {value} of {total} steps | {eta_formatted}',
    stream: process.stderr,
    noTTYOutput: false,
    hideCursor: null,
  })
  if (!process.stderr.isTTY || command.optsWithGlobals().json)
    return { total: () => {}, step: () => {}, stop: () => {} }
  return {
    total: (rows) => bar.start(rows, 0),
    step: (rows) => bar.increment(rows),
    stop: () => bar.stop(),
  }
}
