import { setTimeout as sleep } from 'node:timers/promises'
import { Gauge, type Registry } from 'prom-client'
import { waitingMail } from '../mail/waiting-mail.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Instrument } from './instrument.ts'

/** Well within the time that Prometheus waits for an answer. */
const PATIENCE_MS = 2_000

/** Whether the database answers, and the mail that waits in it. Asked at each scrape. */
export function databaseMetrics(registers: Registry[], clock: Clock): Instrument {
  return {
    db(db) {
      const look = onceAtATime(() => waitingMailInTime(db))
      const gauge = (name: string, help: string, read: (mail: Awaited<ReturnType<typeof look>>) => number) =>
        new Gauge({
          name,
          help,
          registers,
          async collect() {
            this.set(read(await look()))
          },
        })
      gauge('keyturn_database_up', 'Whether the database answered just now', (mail) => (mail ? 1 : 0))
      gauge(
        'keyturn_mails_waiting',
        'Mails that are not sent yet, those that are tried again among them',
        (mail) => mail?.count ?? Number.NaN,
      )
      gauge('keyturn_mail_oldest_seconds', 'Age of the oldest mail that waits; 0 when none does', (mail) => {
        if (!mail) return Number.NaN
        return mail.since === null ? 0 : Math.max(0, clock.now() - mail.since) / 1000
      })
      return db
    },
  }
}

/** `null` when the database does not answer, or not in time. */
async function waitingMailInTime(db: Db): Promise<Awaited<ReturnType<typeof waitingMail>> | null> {
  try {
    return await Promise.race([waitingMail(db), sleep(PATIENCE_MS, null, { ref: false })])
  } catch {
    return null
  }
}

/** Calls while the work is under way share its answer: one look serves all metrics of a scrape. */
function onceAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | null = null
  return () => {
    underWay ??= work().finally(() => {
      underWay = null
    })
    return underWay
  }
}
