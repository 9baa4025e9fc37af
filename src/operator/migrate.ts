import { ConfigError, readConfig } from '../config.ts'
import { DatabaseError, openDatabase } from '../platform/database.ts'
import { migrateDown, migrateUp, migrationStatus } from '../platform/migrate.ts'

const USAGE = `Usage: npm run migrate -- <command>

  up         apply every migration the database does not have
  down       take back the last one; what it stored is gone
  status     list the migrations and when each was applied`

/** The command line for migrations. Exit code 0 when done, 1 when it failed, 2 when misused. */
async function run(command: string | undefined): Promise<number> {
  if (command !== 'up' && command !== 'down' && command !== 'status') {
    console.error(USAGE)
    return 2
  }
  const db = await openDatabase(readConfig(process.env).databaseUrl)
  try {
    if (command === 'status')
      for (const { name, appliedAt } of await migrationStatus(db))
        console.log(`${name}  ${appliedAt?.toISOString() ?? 'not applied'}`)
    else {
      const names = command === 'up' ? await migrateUp(db) : await migrateDown(db)
      console.log(names.length === 0 ? 'Nothing to do.' : `${command}: ${names.join(', ')}`)
    }
    return 0
  } finally {
    await db.destroy()
  }
}

try {
  process.exitCode = await run(process.argv[2])
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof DatabaseError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
