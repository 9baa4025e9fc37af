import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { makeMetrics } from '../../../src/monitoring/metrics.ts'
import { onPostgres } from './database.ts'
import { type Service, type ServiceOptions, startService, testClock } from './service.ts'

/** A service with metrics, as they are at the moment. */
export interface MeasuredService extends Service {
  metrics: ReturnType<typeof makeMetrics>
}

export async function startMeasured(t: Test, options: ServiceOptions = {}): Promise<MeasuredService> {
  const clock = options.clock ?? testClock()
  const metrics = makeMetrics({ clock, databaseUrl: onPostgres ? 'postgres:' : 'sqlite::memory:' })
  const service = await startService(t, {
    ...options,
    clock,
    instruments: [...metrics.instruments, ...(options.instruments ?? [])],
  })
  return { ...service, metrics }
}

/** What has happened, of one name in Prometheus's text format: the labels as they are written, and the value. */
export function samples(text: string, name: string): Record<string, number> {
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))
  const all = [...lines].map(([, labels = '', value]) => [labels, Number(value)] as const)
  return Object.fromEntries(all.filter(([labels, value]) => labels === '' || value > 0))
}

/** The names of all time series in the text, those of histograms as Prometheus stores them. */
export function seriesNames(text: string): Set<string> {
  const names = new Set<string>()
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) names.add(name + suffix)
  return names
}

const MONITORING = new URL('../../../deploy/monitoring/', import.meta.url)

export const monitoringFile = (name: string): string => readFileSync(new URL(name, MONITORING), 'utf8')

/** Whether a query asks for what there is: PostgreSQL has a pool of connections, SQLite a disk, and few have a Redis. */
export const isAnswered = (query: string): boolean =>
  !/keyturn_redis/.test(query) &&
  !(onPostgres ? /keyturn_disk/ : /keyturn_database_(connections|waiting)/).test(query)

/** Every query of the Grafana dashboard, with what Grafana puts in the place of its variables. */
export function dashboardQueries(): string[] {
  const { panels } = JSON.parse(monitoringFile('grafana/keyturn.json'))
  return panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
  )
}
