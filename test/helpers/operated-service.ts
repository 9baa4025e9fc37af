import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { startServer } from './command.ts'
import { type Keyturn, keyturnOn } from './keyturn.ts'
import { sharedEnvironment } from './process.ts'
import { remote } from './remote.ts'
import type { Reachable } from './service.ts'
import { type MailServer, startMailServer } from './smtp.ts'

/** A service as a process of its own, with a mail server, and the command line beside it. */
export interface OperatedService {
  service: Reachable
  keyturn: Keyturn
  smtp: MailServer
  /** What the service was started with. */
  environment: Record<string, string>
  /** The latest token that was mailed to an address, once it is there. */
  tokenMailedTo(address: string): Promise<string>
  /** What was done last to an account, and who did it. */
  lastEventOf(username: string): Promise<string>
}

export async function startOperated(t: Test): Promise<OperatedService> {
  const smtp = await startMailServer(t)
  const environment = {
    ...(await sharedEnvironment(t)),
    SMTP_URL: smtp.url,
    MAIL_FROM: 'Keyturn <accounts@id.example.com>',
  }
  const service = remote((await startServer(t, environment)).url)
  const keyturn = keyturnOn(t, environment)
  return {
    service,
    keyturn,
    smtp,
    environment,
    async tokenMailedTo(address) {
      for (let wait = 0; wait < 200; wait += 1) {
        const mail = smtp.mails.findLast(({ to, text }) => to.includes(address) && /token/.test(text))
        if (mail) return /^ {4}(\S{43})$/m.exec(mail.text)?.[1] ?? ''
        await sleep(50)
      }
      throw new Error(`no token was mailed to ${address}`)
    },
    async lastEventOf(username) {
      const { event, actor } = (await keyturn.events('--user', username)).at(-1) ?? {}
      return `${event} by ${actor}`
    },
  }
}
