import { Gauge, type Registry } from 'prom-client'
import { connectionsOf } from '../platform/database.ts'
import type { Instrument } from './instrument.ts'

/** The connections to PostgreSQL, and the requests that wait for one. SQLite has no pool. */
export function poolMetrics(registers: Registry[]): Instrument {
  return {
    db(db) {
      if (!connectionsOf(db)) return db
      new Gauge({
        name: 'keyturn_database_connections',
        help: 'Connections of this process to the database',
        labelNames: ['state'] as const,
        registers,
        collect() {
          const { used = 0, idle = 0 } = connectionsOf(db) ?? {}
          this.set({ state: 'used' }, used)
          this.set({ state: 'idle' }, idle)
        },
      })
      const gauge = (name: string, help: string, part: 'max' | 'waiting') =>
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(connectionsOf(db)?.[part] ?? 0)
          },
        })
      gauge('keyturn_database_connections_max', 'Connections that this process may have', 'max')
      gauge('keyturn_database_waiting', 'Requests that wait for a connection to the database', 'waiting')
      return db
    },
  }
}
