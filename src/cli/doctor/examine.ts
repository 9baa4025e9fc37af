import { existsSync } from 'node:fs'
import { type Config, ConfigError, readConfig } from '../../config.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { DatabaseError, type Db, openDatabase } from '../../platform/database.ts'
import { refuseLost, sqlitePath } from '../../platform/sqlite.ts'
import { latestTimes } from '../../upkeep/latest-times.ts'
import { checkAccounts } from './accounts.ts'
import { checkClock, type ForeignTime } from './clock.ts'
import { checkDatabase, databaseTime } from './database.ts'
import { checkFiles } from './files.ts'
import { type Finding, findingsOf } from './finding.ts'
import { checkHashing } from './hashing.ts'
import { checkKeys } from './keys.ts'
import { checkMail, mailServerTime } from './mail.ts'
import { checkPasskeys } from './passkeys.ts'
import { checkProxy } from './proxy.ts'
import { checkRedis } from './redis.ts'
import { checkVersions } from './versions.ts'

const configuration = findingsOf('settings')
const database = findingsOf('database')

/** Checks everything that a service needs, and changes nothing. */
export async function examine(
  environment: NodeJS.ProcessEnv,
  clock: Clock = systemClock,
): Promise<Finding[]> {
  const versions = checkVersions()
  try {
    const config = readConfig(environment)
    const settings = [
      configuration.ok('are complete and have no fault'),
      ...config.warnings.map((sentence) =>
        configuration.warn(sentence, 'Put it right, or leave it so if it is meant.'),
      ),
    ]
    const times: ForeignTime[] = []
    const redis = await checkRedis(config, clock, times)
    const proxy = await checkProxy(config, clock, times)
    times.push(...(await mailServerTime(config, clock)))
    const stored = await examineDatabase(config, clock, times)
    const files = checkFiles(config, environment)
    return [
      ...versions,
      ...settings,
      ...stored,
      ...files,
      ...redis,
      ...proxy,
      ...(await checkHashing(config)),
    ]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const advice = 'Put it right: the service does not start.'
    return [...versions, ...error.faults.map((fault) => configuration.fail(fault, advice))]
  }
}

async function examineDatabase(config: Config, clock: Clock, times: ForeignTime[]): Promise<Finding[]> {
  const { databaseUrl } = config
  let db: Db
  try {
    if (databaseUrl.startsWith('sqlite:')) refuseLost(databaseUrl)
    if (databaseUrl.startsWith('sqlite:') && !existsSync(sqlitePath(databaseUrl)))
      return [
        database.fail(
          `there is none at ${sqlitePath(databaseUrl)}`,
          'Check DATABASE_URL and the folder that this runs in; the first start of the service makes it.',
        ),
      ]
    db = await openDatabase(databaseUrl)
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    return [database.fail(error.message, 'Without its database the service does not start.')]
  }
  try {
    const { findings, readable } = await checkDatabase(db, databaseUrl, clock)
    const all = [...times, ...(await databaseTime(db, databaseUrl, clock))]
    if (!readable) return [...findings, ...checkClock(clock, all, [])]
    return [
      ...findings,
      ...(await checkKeys(config, db, clock)),
      ...checkClock(clock, all, await latestTimes(db)),
      ...(await checkMail(config, db, clock)),
      ...(await checkAccounts(config, db, clock)),
      ...(await checkPasskeys(config, db)),
    ]
  } finally {
    await db.destroy()
  }
}
