import { setTimeout as sleep } from 'node:timers/promises'
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../platform/clock.ts'
import { countRows } from '../platform/database.ts'
import { tables } from '../tables.ts'
import type { Instrument } from './instrument.ts'

/** Tables grow over hours, so counting them is kept rare. */
const COUNT_EVERY_MS = 600_000
/** Well within what Prometheus waits for an answer. What takes longer is in the next answer. */
const PATIENCE_MS = 2_000

/** How many rows each table has, counted when the metrics are read. How fast they grow follows from it. */
export function tableMetrics(registers: Registry[], clock: Clock): Instrument {
  return {
    db(db) {
      const names = tables.map(({ name }) => name)
      let countedAt = Number.NEGATIVE_INFINITY
      let rows: ReadonlyMap<string, number> = new Map()
      let underWay: Promise<void> | null = null

      async function count(): Promise<void> {
        try {
          rows = await countRows(db, names)
          countedAt = clock.now()
        } catch {
          // keyturn_database_up tells that the database does not answer.
        } finally {
          underWay = null
        }
      }

      new Gauge({
        name: 'keyturn_table_rows',
        help: 'Rows of a table, counted every ten minutes; on PostgreSQL its own estimate',
        labelNames: ['table'] as const,
        registers,
        async collect() {
          if (Math.abs(clock.now() - countedAt) >= COUNT_EVERY_MS) underWay ??= count()
          await Promise.race([underWay, sleep(PATIENCE_MS, null, { ref: false })])
          for (const [table, value] of rows) this.set({ table }, value)
        },
      })
      return db
    },
  }
}
