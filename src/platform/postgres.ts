import { sql } from 'kysely'
import pg from 'pg'
import { ConnectionError, DatabaseError } from './database-errors.ts'
import type { Engine } from './engine.ts'
import { APPLICATION_NAME, PatientPostgresDialect } from './postgres-dialect.ts'
import { placeOf, withSslMode } from './postgres-url.ts'

/** @param poolSize the most connections of this process. */
export function postgresEngine(databaseUrl: string, poolSize: number): Engine {
  return {
    dialect: new PatientPostgresDialect(withSslMode(databaseUrl), poolSize),
    async check(db) {
      await sql`select 1`.execute(db)
    },
    explain: (error) => explain(placeOf(databaseUrl), error),
    async isInUse() {
      const client = new pg.Client(withSslMode(databaseUrl))
      try {
        await client.connect()
        const { rows } = await client.query(
          'select from pg_stat_activity where datname = current_database() and application_name = $1',
          [APPLICATION_NAME],
        )
        return rows.length > 0
      } catch (error) {
        throw new DatabaseError(explain(placeOf(databaseUrl), error), { cause: error })
      } finally {
        await client.end()
      }
    },
  }
}

/** Explains SQLSTATE codes of PostgreSQL's appendix A, and faults of certificates. */
function explain(place: string, error: unknown): string {
  const reason = (error instanceof ConnectionError ? error.cause : error) as {
    code?: string
    message: string
  }
  const { code = '', message } = reason
  if (code.startsWith('28')) return `The database ${place} does not let this user in: ${message}.`
  if (code === '3D000') return `The database ${place} does not exist. Create it, and migrate it.`
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return `The database ${place} shows a certificate that cannot be trusted (${message}). Name its authority with sslrootcert.`
  if (message.includes('does not support SSL'))
    return `The database ${place} has no TLS. Set it up there, or add sslmode=disable where the network can be trusted.`
  return `The database ${place} cannot be reached: ${message}.`
}
