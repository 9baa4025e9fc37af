import { Counter, type Registry } from 'prom-client'
import type { Instrument } from './instrument.ts'

/** The answers of the mail server to each attempt. Waiting mail is among the metrics of the database. */
export function mailMetrics(registers: Registry[]): Instrument {
  const mails = new Counter({
    name: 'keyturn_mails_total',
    help: 'Mails handed to the mail server, each try of each mail',
    labelNames: ['outcome'] as const,
    registers,
  })
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
