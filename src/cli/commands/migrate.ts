import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { faultOfSchema, migrateDown, migrateUp, migrationStatus } from '../../platform/migrate.ts'
import { keepLogsOfLost } from '../../platform/sqlite.ts'
import { requireRootKeys } from '../../tokens/root-keys.ts'
import { configOfRehearsal, requireDatabase, withDatabase } from '../surroundings.ts'
import { answer, columns, confirm } from '../terminal.ts'

export function registerMigrate(program: Command): void {
  const migrate = program.command('migrate').description('apply or undo migrations of the database')

  migrate
    .command('up')
    .description('apply all pending migrations')
    .option('--new', 'make a new SQLite database if the old one is gone')
    .addHelpText('after', '\nExample:\n  keyturn migrate up')
    .action(async ({ new: mayMake = false }: { new?: boolean }, command) => {
      const config = readConfig(process.env)
      const kept = mayMake ? keepLogsOfLost(config.databaseUrl) : null
      // At once: what follows may fail, and the next run finds nothing to keep.
      if (kept) console.error(inWords(kept))
      await withDatabase(
        async (db) => {
          const migrations = await migrateUp(db, () => requireRootKeys(config, db))
          report(command, { direction: 'up', migrations, set_aside: kept?.files ?? null })
        },
        { config, mayMake },
      )
    })

  migrate
    .command('down')
    .description('undo the last migration and delete what it stored')
    .addHelpText('after', '\nExample:\n  keyturn migrate down --yes')
    .action(async (_options, command) => {
      await confirm(command, 'Undo the last migration and delete what it stored?')
      requireDatabase(readConfig(process.env).databaseUrl)
      await withDatabase(async (db) =>
        report(command, { direction: 'down', migrations: await migrateDown(db) }),
      )
    })

  migrate
    .command('status')
    .description('list migrations and when each was applied')
    .addHelpText('after', '\nExample:\n  keyturn migrate status --json')
    .action((_options, command) =>
      withDatabase(
        async (db) => {
          const states = await migrationStatus(db)
          const all = states.map(({ name, appliedAt, known }) => ({
            name,
            applied_at: appliedAt?.toISOString() ?? null,
            known,
          }))
          const rows = all.map((one) => [
            one.name,
            one.applied_at ?? 'not applied',
            one.known ? '' : 'of a newer version',
          ])
          const fault = faultOfSchema(states)
          answer(command, { json: all, text: [columns(rows), ...(fault ? [fault] : [])].join('\n') })
        },
        { config: configOfRehearsal() },
      ),
    )
}

interface Report {
  direction: 'up' | 'down'
  migrations: string[]
  set_aside?: string[] | null
}

function report(command: Command, json: Report): void {
  const { direction, migrations } = json
  const text = migrations.length === 0 ? 'Nothing to do.' : `${direction}: ${migrations.join(', ')}`
  answer(command, { json, text })
}

const inWords = ({ aside, files }: { aside: string; files: string[] }) =>
  `What is left of the lost database is kept: ${files.join(', ')}. If its file turns up, move it to ${aside}, and
  keyturn restore ${aside}
puts both in the place of this one.`
