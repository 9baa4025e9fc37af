import type { Server } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../../config.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Instrument } from './instrument.ts'

/** What watches the service, as the configuration asks for. */
export interface Monitoring {
  instruments: readonly Instrument[]
  /** Begins to serve the metrics, if there are any. @throws an error with the `code` of the system. */
  listen(): Promise<void>
  /** Hands over what was not sent yet, and stops. */
  end(): Promise<void>
}

/** Whatever is not asked for is not even loaded: a start takes no longer for it. */
export async function startMonitoring({
  config,
  clock,
  logger,
}: {
  config: Pick<Config, 'host' | 'metricsPort' | 'traces'>
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'debug' | 'info' | 'warn' | 'error'>
}): Promise<Monitoring> {
  const { host, metricsPort: port } = config
  const traces = config.traces ? (await import('./traces.ts')).startTraces(logger) : null
  const metrics = port ? (await import('./metrics.ts')).makeMetrics({ clock }) : null
  let server: Server | null = null

  return {
    instruments: [...(metrics?.instruments ?? []), ...(traces ? [traces.instrument] : [])],
    async listen() {
      if (!metrics) return
      const { serveMetrics } = await import('./metrics-server.ts')
      server = await serveMetrics({ metrics, host, port, logger })
      logger.info({ host, port }, 'metrics')
    },
    async end() {
      server?.close()
      server?.closeAllConnections()
      await traces?.end()
    },
  }
}
