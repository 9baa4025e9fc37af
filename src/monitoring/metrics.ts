import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Clock } from '../platform/clock.ts'
import { VERSION } from '../version.ts'
import { databaseMetrics } from './database-metrics.ts'
import { diskMetrics } from './disk-metrics.ts'
import { eventMetrics } from './event-metrics.ts'
import { hashMetrics } from './hash-metrics.ts'
import type { Instrument } from './instrument.ts'
import { mailMetrics } from './mail-metrics.ts'
import { metersOf } from './meters.ts'
import { requestMetrics } from './request-metrics.ts'

/**
 * The numbers for Prometheus, of one service and of its process, such as the event-loop delay. No label names a person or
 * an address.
 */
export type Metrics = ReturnType<typeof makeMetrics>

export function makeMetrics({ clock, databaseUrl }: { clock: Clock; databaseUrl: string }) {
  const registry = new Registry()
  const meters = metersOf(registry)
  collectDefaultMetrics({ register: registry })
  meters.gauge(
    'keyturn_build_info',
    'Always 1: the version, and the Node.js that runs it',
    (gauge) => gauge.set({ version: VERSION, node: process.version }, 1),
    ['version', 'node'],
  )
  diskMetrics(meters, databaseUrl)
  meters.gauge('keyturn_time_seconds', 'The clock of this process, since 1970', (gauge) =>
    gauge.set(clock.now() / 1000),
  )
  return {
    instruments: [
      requestMetrics(meters),
      eventMetrics(meters),
      hashMetrics(meters),
      mailMetrics(meters),
      databaseMetrics(meters, clock),
    ] satisfies Instrument[],
    contentType: registry.contentType,
    /** All metrics in the text format of Prometheus. */
    text: () => registry.metrics(),
  }
}
