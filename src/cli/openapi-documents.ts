import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { buildApp } from '../api/app.ts'
import { readConfig } from '../config.ts'
import { systemClock } from '../platform/clock.ts'
import { openDatabase } from '../platform/database.ts'
import { migrateUp } from '../platform/migrate.ts'
import { makeService } from '../service.ts'

/** The OpenAPI documents of a service with the default configuration. */
export async function openapiDocuments(): Promise<{ json: string; yaml: string }> {
  const config = readConfig({ DATABASE_URL: 'sqlite::memory:' })
  const db = await openDatabase(config.databaseUrl)
  await migrateUp(db)
  const logger = pino({ level: 'silent' })
  const service = await makeService({ config, db, clock: systemClock, logger, rootKeys: [randomBytes(32)] })
  const app = await buildApp(service, logger)
  try {
    await app.ready()
    return { json: `${JSON.stringify(app.swagger(), null, 2)}\n`, yaml: app.swagger({ yaml: true }) }
  } finally {
    await app.close()
    await db.destroy()
  }
}
