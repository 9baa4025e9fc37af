import type { Server } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { type Config, ConfigError } from '../config.ts'
import { trustedProxies } from '../http/trusted-proxies.ts'
import type { Clock } from '../platform/clock.ts'
import { isMissing } from '../platform/packages.ts'

interface MonitoringParts {
  config: Pick<Config, 'databaseUrl' | 'metricsHost' | 'metricsPort' | 'traces' | 'trustProxy'>
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'debug' | 'info' | 'warn' | 'error'>
}

/** The instruments that the configuration asks for. */
export type Monitoring = Awaited<ReturnType<typeof startMonitoring>>

/** Loads only what is asked for, so that a start without it takes no longer. */
export async function startMonitoring({ config, clock, logger }: MonitoringParts) {
  const { databaseUrl, metricsHost: host, metricsPort: port } = config
  const traces = config.traces
    ? (await loadTraces()).startTraces(logger, trustedProxies(config.trustProxy))
    : null
  const metrics = port ? (await import('./metrics.ts')).makeMetrics({ clock, databaseUrl }) : null
  let server: Server | null = null

  return {
    instruments: [...(metrics?.instruments ?? []), ...(traces ? [traces.instrument] : [])],
    /** Starts to serve the metrics, if there are any. @throws an error with the `code` of the system. */
    async listen(): Promise<void> {
      if (!metrics) return
      const { serveMetrics } = await import('./metrics.ts')
      server = await serveMetrics({ metrics, host, port, logger })
      logger.info({ host, port }, 'metrics')
    },
    /** Exports what was not sent yet, and stops. */
    async end(): Promise<void> {
      server?.close()
      server?.closeAllConnections()
      await traces?.end()
    },
  }
}

/** @throws {ConfigError} when the packages of OpenTelemetry are not installed. */
function loadTraces(): Promise<typeof import('./traces.ts')> {
  return import('./traces.ts').catch((error) => {
    if (!isMissing(error, '@opentelemetry/')) throw error
    throw new ConfigError([
      'Traces need two more packages: npm install @opentelemetry/api @opentelemetry/sdk-node. Or set OTEL_SDK_DISABLED=true',
    ])
  })
}
