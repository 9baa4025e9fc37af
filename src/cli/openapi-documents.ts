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
    const json = await app.inject('/openapi.json')
    const yaml = await app.inject('/openapi.yaml')
    return { json: `${json.body}\n`, yaml: yaml.body }
  } finally {
    await app.close()
    await db.destroy()
  }
}
