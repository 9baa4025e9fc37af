import { type Config, ConfigError, readConfig } from '../../config.ts'
import { explainFailure } from '../../explain-failure.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { DatabaseError, type Db, openDatabase } from '../../platform/database.ts'
import { refuseLost } from '../../platform/sqlite.ts'
import { isThere, sqlitePath } from '../../platform/sqlite-files.ts'
import { latestTimes } from '../../upkeep/latest-times.ts'
import { VERSION } from '../../version.ts'
import { checkAccounts, checkKeys, checkPasskeys } from './contents.ts'
import { checkDatabase, databaseTime } from './database.ts'
import { type Finding, fail, ok, type Result, warn } from './finding.ts'
import {
  checkClock,
  checkMail,
  checkProxy,
  checkRedis,
  type ForeignTime,
  mailServerTime,
} from './other-machines.ts'
import { asSeen, checkDisk, checkFiles, checkHashing } from './this-machine.ts'

const about = (check: string, results: readonly Result[]): Finding[] =>
  results.map((result) => ({ check, ...result }))

/** Checks everything that a service needs, and changes nothing. */
export async function examine(
  environment: NodeJS.ProcessEnv,
  clock: Clock = systemClock,
): Promise<Finding[]> {
  const versions = about('versions', [ok(`Keyturn ${VERSION} on Node.js ${process.version}`)])
  try {
    const config = readConfig(environment)
    const times: ForeignTime[] = []
    const redis = about('redis', await checkRedis(config, clock, times))
    const proxy = about('proxy', await checkProxy(config, clock, times))
    times.push(...(await mailServerTime(config, clock)))
    const advice = 'Put it right, or leave it so if it is meant.'
    return [
      ...versions,
      ...about('settings', [ok('are complete and have no fault')]),
      ...about(
        'settings',
        config.warnings.map((sentence) => warn(sentence, advice)),
      ),
      ...(await examineDatabase(config, clock, times)),
      ...about(
        'files',
        asSeen(() => checkFiles(config, environment)),
      ),
      ...about(
        'disk',
        asSeen(() => checkDisk(config)),
      ),
      ...[...redis, ...proxy],
      ...about('passwords', await checkHashing(config)),
    ]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const faults = error.faults.map((fault) =>
      fail(fault, 'Correct it: until then the service does not start.'),
    )
    return [...versions, ...about('settings', faults)]
  }
}

async function examineDatabase(config: Config, clock: Clock, times: ForeignTime[]): Promise<Finding[]> {
  const { databaseUrl } = config
  let db: Db
  try {
    if (databaseUrl.startsWith('sqlite:')) {
      refuseLost(databaseUrl)
      const path = sqlitePath(databaseUrl)
      const advice =
        'Check DATABASE_URL and the folder that this runs in; the first start of the service makes it.'
      if (!isThere(path)) return about('database', [fail(`there is none at ${path}`, advice)])
    }
    db = await openDatabase(databaseUrl)
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    return about('database', [fail(error.message, 'Without its database the service does not start.')])
  }
  const all: Finding[] = []
  const note = (check: string, results: Result[]) => all.push(...about(check, results))
  try {
    const { findings, readable } = await checkDatabase(db, databaseUrl, clock)
    note('database', findings)
    const clocks = [...times, ...(await databaseTime(db, databaseUrl, clock))]
    if (readable) note('keys', await checkKeys(config, db, clock))
    note('clock', checkClock(clock, clocks, readable ? await latestTimes(db) : []))
    if (!readable) return all
    note('mail', await checkMail(config, db, clock))
    note('accounts', await checkAccounts(config, db, clock))
    note('passkeys', await checkPasskeys(config, db))
    return all
  } catch (error) {
    const words = explainFailure(error)
    if (words === undefined) throw error
    note('database', [fail(words, 'Until then the service cannot do all of its work.')])
    return all
  } finally {
    await db.destroy()
  }
}
