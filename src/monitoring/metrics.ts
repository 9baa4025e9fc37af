import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Clock } from '../platform/clock.ts'
import { databaseMetrics } from './database-metrics.ts'
import { eventMetrics } from './event-metrics.ts'
import { hashMetrics } from './hash-metrics.ts'
import type { Instrument } from './instrument.ts'
import { mailMetrics } from './mail-metrics.ts'
import { poolMetrics } from './pool-metrics.ts'
import { requestMetrics } from './request-metrics.ts'
import { tableMetrics } from './table-metrics.ts'

/** The numbers for Prometheus. No label names a person or an address. */
export interface Metrics {
  instruments: readonly Instrument[]
  contentType: string
  /** All metrics in the text format of Prometheus. */
  text(): Promise<string>
}

/** The metrics of one service, and prom-client's metrics of the process, such as the event-loop delay. */
export function makeMetrics({ clock }: { clock: Clock }): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    instruments: [
      requestMetrics(registers),
      eventMetrics(registers),
      hashMetrics(registers),
      mailMetrics(registers),
      poolMetrics(registers),
      databaseMetrics(registers, clock),
      tableMetrics(registers, clock),
    ],
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}
