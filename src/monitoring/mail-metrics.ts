import type { Instrument } from './instrument.ts'
import type { Meters } from './meters.ts'

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
