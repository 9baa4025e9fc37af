import { sql } from 'kysely'
import pg from 'pg'
import type { Db } from '../../../src/platform/database.ts'

/** The settings under which a row was written. */
interface Noted {
  table: string
  settings: string
}

const NAMES = [
  'synchronous_commit',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
]

/** Those that the service promises, by `NAMES`. */
const PROMISED = 'on 5s 3s 10s'

/** Has triggers note the settings under which a session is written or a mail counted. @returns what was noted so far. */
export async function noteSettings(databaseUrl: string): Promise<() => Promise<Noted[]>> {
  const settings = NAMES.map((name) => `current_setting('${name}')`).join(", ' ', ")
  await execute(
    databaseUrl,
    `create table noted ("table" text, settings text);
     create function note_settings() returns trigger language plpgsql as
     $$ begin insert into noted values (tg_table_name, concat(${settings})); return null; end $$;
     ${['sessions', 'mail_counts'].map((table) => `create trigger note_settings after insert on ${table} execute function note_settings()`).join(';')}`,
  )
  return () => execute(databaseUrl, 'select * from noted')
}

/** What was written under other settings than the promised ones. */
export const foreign = async (noted: () => Promise<Noted[]>): Promise<Noted[]> =>
  (await noted()).filter(({ settings }) => settings !== PROMISED)

/** Leaves the settings of a session as no promise of the service holds under them. */
export async function leaveBehind(db: Pick<Db, 'getExecutor'>): Promise<void> {
  await sql`select set_config('synchronous_commit', 'off', false), ${sql.join(
    NAMES.slice(1).map((name) => sql`set_config(${name}, '0', false)`),
  )}`.execute(db as Db)
}

async function execute(databaseUrl: string, text: string): Promise<Noted[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    return (await client.query<Noted>(text)).rows
  } finally {
    await client.end()
  }
}
