import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { QueueFullError } from '../crypto/hash-queue.ts'
import type { Instrument } from './instrument.ts'

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Password hashes: the most expensive part of the service, and the first to show an overload. */
export function hashMetrics(registers: Registry[]): Instrument {
  const wait = new Histogram({
    name: 'keyturn_hash_wait_seconds',
    help: 'Time that password hashes waited before they began',
    buckets: BUCKETS,
    registers,
  })
  const duration = new Histogram({
    name: 'keyturn_hash_duration_seconds',
    help: 'Time that password hashes took',
    buckets: BUCKETS,
    registers,
  })
  const running = new Gauge({
    name: 'keyturn_hash_running',
    help: 'Password hashes under way',
    registers,
  })
  const refused = new Counter({
    name: 'keyturn_hash_refused_total',
    help: 'Password hashes refused because too many waited: answers of 503 overloaded',
    registers,
  })

  return {
    hashQueue(queue) {
      new Gauge({
        name: 'keyturn_hash_waiting',
        help: 'Password hashes that wait',
        registers,
        collect() {
          this.set(queue.waiting())
        },
      })
      const countRefusal = (error: unknown): never => {
        if (error instanceof QueueFullError) refused.inc()
        throw error
      }
      return {
        ...queue,
        admit: () => queue.admit().catch(countRefusal),
        async run(work, options) {
          const endWait = wait.startTimer()
          const timed = async () => {
            endWait()
            running.inc()
            const end = duration.startTimer()
            try {
              return await work()
            } finally {
              end()
              running.dec()
            }
          }
          return queue.run(timed, options).catch(countRefusal)
        },
      }
    },
  }
}
