import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { RuleName } from '../service/invariants.ts'
import { runningClock, type Service, startService } from '../service/service.ts'
import { type Keyturn, keyturnOn } from './keyturn.ts'

/** A running service, and the command line on its database, in a folder with these files. */
export async function startImporting(
  t: Test,
  files: Parameters<Test['testdir']>[0] = {},
  {
    rootKey = randomBytes(32),
    spared = [],
    environment = {},
  }: { rootKey?: Buffer; spared?: readonly RuleName[]; environment?: Record<string, string> } = {},
): Promise<{ folder: string; service: Service; keyturn: Keyturn }> {
  const folder = t.testdir(files)
  const service = await startService(t, { rootKeys: [rootKey], clock: runningClock(), spared })
  const keyturn = keyturnOn({
    DATABASE_URL: service.databaseUrl,
    SECRET_KEY: rootKey.toString('base64'),
    ...environment,
  })
  return { folder, service, keyturn }
}

export const jsonLines = (...records: object[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('')

export async function usernames({ db }: Service): Promise<string[]> {
  const rows = await db.selectFrom('accounts').select('username').orderBy('username').execute()
  return rows.map(({ username }) => username)
}
