import type { Test } from 'tap'
import { eventually } from '../requests/eventually.ts'
import type { Reachable } from '../service/service.ts'
import { type Keyturn, keyturnOn } from './keyturn.ts'
import { sharedEnvironment, startProcess } from './process.ts'
import { remote } from './remote.ts'
import { lastMailTo, type MailServer, type ReceivedMail, startMailServer } from './smtp.ts'

/** A service as a process of its own, with a mail server, and the command line beside it. */
export interface OperatedService {
  service: Reachable
  keyturn: Keyturn
  smtp: MailServer
  /** What the service was started with. */
  environment: Record<string, string>
  /** The latest mail to an address under this subject, once it is there. */
  mailTo(address: string, subject: RegExp): Promise<ReceivedMail>
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
  const service = remote((await startProcess(t, environment)).url)
  const keyturn = keyturnOn(environment)

  async function mailTo(address: string, subject: RegExp): Promise<ReceivedMail> {
    const mail = () => lastMailTo(smtp, address, subject)
    await eventually(`a mail to ${address}: ${subject}`, () => mail() !== undefined)
    return mail() as ReceivedMail
  }

  return {
    service,
    keyturn,
    smtp,
    environment,
    mailTo,
    async tokenMailedTo(address) {
      return /^ {4}(\S{43})$/m.exec((await mailTo(address, /reset your password/)).text)?.[1] ?? ''
    },
    async lastEventOf(username) {
      const { event, actor } = (await keyturn.events('--user', username)).at(-1) ?? {}
      return `${event} by ${actor}`
    },
  }
}
