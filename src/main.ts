import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type Config, readConfig } from './config.ts'
import { lowerHashThreads } from './crypto/thread-pool.ts'
import { explainFailure } from './explain-failure.ts'
import { stopGracefully } from './http/connections.ts'
import type { Readiness } from './http/readiness.ts'
import { type Monitoring, startMonitoring } from './monitoring/start.ts'
import { openService } from './open-service.ts'
import { systemClock } from './platform/clock.ts'
import { basePathOf, inUrl, isEveryAddress } from './platform/hosts.ts'
import { makeLogger } from './platform/logger.ts'
import { VERSION } from './version.ts'

const GRACE_MS = 10_000

/** Runs the service until a signal ends it. A fault at start is one plain sentence and exit code 1. */
export async function main({ hashThreads }: { hashThreads: number }): Promise<void> {
  try {
    const config = readConfig(process.env)
    const logger = makeLogger(config.logLevel)
    logger.info({ node: process.version }, 'starting')
    const { app, readiness } = await start(config, logger, hashThreads)
    const skip = [...ignoreHangUp(logger), switchLogLevel(logger)]
    endWithNpx()
    closeWithGrace({ delay: GRACE_MS, logger, skip }, async ({ err, signal }) => {
      if (err) logger.fatal({ err }, 'ending after an error')
      else logger.info({ signal }, 'ending')
      // After Ctrl+C a person waits for the end; after SIGTERM a load balancer has to hear of it first.
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
  const monitoring = await startMonitoring({ config, clock: systemClock, logger })
  const { instruments } = monitoring
  try {
    const { app, service } = await openService({
      ...{ config, logger, hashThreads, instruments },
      closed: () => monitoring.end(),
    })
    lowerHashThreads()
    await listen(app, config, monitoring)
    const { name: hash_engine, hashMs: hash_ms } = service.passwords.engine
    logger.info(
      { issuer: config.issuer, mfa_policy: config.mfaPolicy, docs: config.docs, hash_engine, hash_ms },
      'ready',
    )
    if (process.stdout.isTTY) setImmediate(() => process.stdout.write(welcome(app, config)))
    return { app, readiness: service.readiness }
  } catch (error) {
    await monitoring.end()
    throw error
  }
}

/** Closes again what was opened for it when it cannot listen. */
async function listen(app: FastifyInstance, { host, port }: Config, monitoring: Monitoring): Promise<void> {
  try {
    await monitoring.listen()
    await app.listen({ host, port, listenTextResolver: (address) => `listening at ${address}` })
  } catch (error) {
    await app.close()
    throw error
  }
}

/**
 * What a supervisor sends to make a daemon read its settings again; this service reads them once, when it starts. On a
 * terminal the signal says that the terminal has gone.
 *
 * @returns the signals that do not end the service.
 */
function ignoreHangUp(logger: Logger): 'SIGHUP'[] {
  if (process.stdin.isTTY || process.stdout.isTTY) return []
  process.on('SIGHUP', () => logger.info('SIGHUP does nothing: settings are read at start'))
  return ['SIGHUP']
}

/**
 * At SIGUSR2 the log tells everything that it can, and at the next one as much as before.
 *
 * @returns the signal, which does not end the service.
 */
function switchLogLevel(logger: Logger): 'SIGUSR2' {
  const { level } = logger
  process.on('SIGUSR2', () => {
    const log_level = logger.level === level ? 'debug' : level
    // Said while the log tells everything.
    logger.level = 'debug'
    logger.info({ log_level }, 'log level')
    logger.level = log_level
  })
  return 'SIGUSR2'
}

/** For a person who has started it by hand: where it is, and what to do next. */
function welcome(app: FastifyInstance, { host, issuer, docs }: Config): string {
  const { port } = app.server.address() as AddressInfo
  const address = `http://${isEveryAddress(host) ? 'localhost' : inUrl(host)}:${port}`
  const lines = [
    `Keyturn ${VERSION} is ready.`,
    `  API         ${address}`,
    ...(docs ? [`  Try it out  ${address}${basePathOf(issuer)}/docs`] : []),
    '  Stop        Ctrl+C',
  ]
  return `\n${lines.join('\n')}\n\n`
}

const CANNOT_LISTEN = ['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']

function explainStartFailure(error: unknown): string {
  const explained = explainFailure(error)
  if (explained) return explained
  const { code, message, stack } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return `The port is taken: ${message}. Stop the other program, or set PORT or METRICS_PORT.`
  if (CANNOT_LISTEN.includes(code ?? ''))
    return `The service cannot listen there: ${message}. See HOST, PORT and METRICS_HOST.`
  return `Keyturn could not start: ${stack ?? message}`
}

const LOOK_EVERY_MS = 250

/**
 * Under `npx` a shell stands between npm and this process. When npm is ended by a signal, the shell ends and passes
 * nothing on, and this process would go on without them. It then ends as if the signal had been its own.
 */
function endWithNpx(): void {
  if (process.env.npm_command !== 'exec') return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, LOOK_EVERY_MS)
  timer.unref()
}
