import { QueueFullError } from '../crypto/hash-queue.ts'
import type { Instrument } from './instrument.ts'
import type { Meters } from './meters.ts'

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Password hashes: the most expensive part of the service, and the first to show an overload. */
export function hashMetrics({ counter, gauge, histogram }: Meters): Instrument {
  const wait = histogram(
    'keyturn_hash_wait_seconds',
    'Time that password hashes waited before they began',
    BUCKETS,
  )
  const duration = histogram('keyturn_hash_duration_seconds', 'Time that password hashes took', BUCKETS)
  let running = 0
  gauge('keyturn_hash_running', 'Password hashes under way', (hashes) => hashes.set(running))
  const refused = counter(
    'keyturn_hash_refused_total',
    'Password hashes refused because too many waited: answers of 503 overloaded',
  )

  return {
    hashQueue(queue) {
      gauge('keyturn_hash_waiting', 'Password hashes that wait', (hashes) => hashes.set(queue.waiting()))
      const countRefusal = (error: unknown): never => {
        if (error instanceof QueueFullError) refused.inc()
        throw error
      }
      return {
        ...queue,
        admit: (lane) => queue.admit(lane).catch(countRefusal),
        async run(work, options) {
          const endWait = wait.startTimer()
          const timed = async () => {
            endWait()
            running += 1
            const end = duration.startTimer()
            try {
              return await work()
            } finally {
              end()
              running -= 1
            }
          }
          return queue.run(timed, options).catch(countRefusal)
        },
      }
    },
  }
}

/** The answers of the mail server to each attempt. Waiting mail is among the metrics of the database. */
export function mailMetrics({ counter }: Meters): Instrument {
  const mails = counter('keyturn_mails_total', 'Mails handed to the mail server, each try of each mail', [
    'outcome',
  ])
  for (const outcome of ['success', 'failure']) mails.inc({ outcome }, 0)
  return {
    mailer: (mailer) => ({
      ...mailer,
      async send(mail) {
        try {
          await mailer.send(mail)
          mails.inc({ outcome: 'success' })
        } catch (error) {
          mails.inc({ outcome: 'failure' })
          throw error
        }
      },
    }),
  }
}
