import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import { type Config, readConfig } from './config.ts'
import { OWASP_LEAST_WORK } from './crypto/argon2-engine.ts'
import { lowerHashThreads } from './crypto/thread-pool.ts'
import { makeDependencies } from './dependencies.ts'
import { stopGracefully } from './http/graceful-stop.ts'
import type { Readiness } from './http/readiness.ts'
import { startBackgroundWork } from './operator/background-work.ts'
import { type Monitoring, startMonitoring } from './operator/monitoring/start.ts'
import { explainFailure } from './operator/terminal/explain-failure.ts'
import { systemClock } from './platform/clock.ts'
import { openDatabase } from './platform/database.ts'
import { makeLogger } from './platform/logger.ts'
import { migrateUp } from './platform/migrate.ts'
import { rootKeysOf } from './tokens/root-keys.ts'

const GRACE_MS = 10_000

/** Runs the service until a signal ends it. A fault at start is one plain sentence and exit code 1. */
export async function main({ hashThreads }: { hashThreads: number }): Promise<void> {
  try {
    const config = readConfig(process.env)
    const logger = makeLogger(config.logLevel)
    const { app, readiness } = await start(config, logger, hashThreads)
    closeWithGrace({ delay: GRACE_MS, logger }, async ({ err, signal }) => {
      if (err) logger.fatal({ err }, 'ending after an error')
      else logger.info({ signal }, 'ending')
      // Who presses Ctrl+C waits for it; who sends SIGTERM may have a load balancer to tell.
      await stopGracefully(app, { readiness, announced: signal === 'SIGTERM' })
    })
  } catch (error) {
    process.stderr.write(`${explainStartFailure(error)}\n`)
    process.exitCode = 1
  }
}

async function start(
  config: Readonly<Config>,
  logger: Logger,
  hashThreads: number,
): Promise<{ app: FastifyInstance; readiness: Readiness }> {
  for (const sentence of weaknesses(config)) logger.warn(sentence)

  const monitoring = await startMonitoring({ config, clock: systemClock, logger })
  const db = await openDatabase(config.databaseUrl, { poolSize: config.databasePoolSize })
  try {
    const migrations = await migrateUp(db)
    if (migrations.length > 0) logger.info({ migrations }, 'database migrated')
    const rootKeys = await rootKeysOf(config, db)
    const { instruments } = monitoring
    const outside = { config, db, clock: systemClock, logger, rootKeys, hashThreads, instruments }
    const deps = await makeDependencies(outside)
    lowerHashThreads()
    const app = await buildApp(deps, logger)
    const endBackgroundWork = startBackgroundWork({ ...deps, logger })
    app.addHook('onClose', async () => {
      await endBackgroundWork()
      await db.destroy()
      await monitoring.end()
    })
    await listen(app, config, monitoring)
    const { name: hash_engine, hashMs: hash_ms } = deps.passwords.engine
    logger.info(
      { issuer: config.issuer, mfa_policy: config.mfaPolicy, docs: config.docs, hash_engine, hash_ms },
      'ready',
    )
    return { app, readiness: deps.readiness }
  } catch (error) {
    await db.destroy()
    await monitoring.end()
    throw error
  }
}

/** Closes again what was opened for it when it cannot listen. */
async function listen(app: FastifyInstance, { host, port }: Config, monitoring: Monitoring): Promise<void> {
  try {
    await monitoring.listen()
    await app.listen({ host, port, listenTextResolver: () => 'listening' })
  } catch (error) {
    await app.close()
    throw error
  }
}

/** What may be on purpose, but mostly is not. */
function weaknesses({ argon2, issuer, trustProxy }: Config): string[] {
  const weak: [boolean, string][] = [
    [
      argon2.memoryKib * argon2.passes < OWASP_LEAST_WORK,
      'The password hash is cheaper than OWASP recommends: raise ARGON2_MEMORY_KIB or ARGON2_TIME',
    ],
    [
      issuer.startsWith('https:') && trustProxy.length === 0,
      'ISSUER is https, so a proxy stands before this service, but TRUST_PROXY does not name it: all clients count as one address',
    ],
  ]
  return weak.filter(([is]) => is).map(([, sentence]) => sentence)
}

const CANNOT_LISTEN = ['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']

function explainStartFailure(error: unknown): string {
  const explained = explainFailure(error)
  if (explained) return explained
  const { code, message, stack } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return `The port is taken: ${message}. Stop the other program, or set PORT or METRICS_PORT.`
  if (CANNOT_LISTEN.includes(code ?? ''))
    return `The service cannot listen there: ${message}. See HOST and PORT.`
  return `Keyturn could not start: ${stack ?? message}`
}
