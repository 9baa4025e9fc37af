import { lastMailTo, type MailServer, type ReceivedMail } from '../programs/smtp.ts'
import {
  type Answer,
  type Enrolled,
  enrol,
  login,
  type MailingService,
  type Service,
} from '../service/service.ts'
import { expecting, Person } from './person.ts'
import { accountTokenFor } from './sessions.ts'

export { MAIL_FROM, mailing } from '../programs/smtp.ts'
export type { MailingService } from '../service/service.ts'

const CODE_LINE = /^ {4}(\S+)\r?$/m

/** A process of its own sends notices in between. */
const latestWithCode = ({ mails }: Pick<MailServer, 'mails'>) =>
  mails.findLast(({ text }) => CODE_LINE.test(text))

/** The last code that was mailed. */
export const latestCode = (smtp: Pick<MailServer, 'mails'>): string => codeIn(latestWithCode(smtp))

/** The same, or nothing where none was mailed. */
export function latestCodeIfAny(smtp: Pick<MailServer, 'mails'>): string | undefined {
  const mail = latestWithCode(smtp)
  return mail && codeIn(mail)
}

/** The code in the latest mail to an address under this subject, if there was one. */
export function codeTo(
  { smtp }: Pick<MailingService, 'smtp'>,
  address: string,
  subject: RegExp,
): string | undefined {
  const mail = lastMailTo(smtp, address, subject)
  return mail && codeIn(mail)
}

/** What a mail gives its reader to type in. */
export function codeIn(mail: ReceivedMail | undefined): string {
  const [, code] = CODE_LINE.exec(mail?.text ?? '') ?? []
  if (!code) throw new Error(`no code in the mail: ${mail?.text}`)
  return code
}

/** The link that a mail has in it, alone on its line. */
export function linkIn(mail: ReceivedMail | undefined): string {
  const [link] = /^[a-z][a-z0-9+.-]*:\/\S+$/m.exec(mail?.text.replaceAll('\r', '') ?? '') ?? []
  if (!link) throw new Error(`no link in the mail: ${mail?.text}`)
  return link
}

/** Sends the mail that waits. @returns what came. */
export async function deliver({ deps, smtp }: MailingService): Promise<ReceivedMail[]> {
  const before = smtp.mails.length
  await deps.outbox.deliverDue()
  return smtp.mails.slice(before)
}

/** The subjects without the name of the service, and who got them. */
export function notices(mails: readonly ReceivedMail[]): string[] {
  return mails.map(({ to, message }) => `${message.subject?.replace(/^.*?: /, '')} → ${to}`)
}

/** Registers with an address, which nobody has proven yet. */
export async function registerWithEmail(
  service: Service,
  username = 'ada',
  email = `${username}@example.com`,
): Promise<{ id: string; mfaToken: string }> {
  const person = new Person(service, { username, email })
  await expecting(201, person.register())
  return { id: person.id, mfaToken: person.mfaToken }
}

/** The code that a challenge's owner finds in the mailbox. */
export async function mailedCode({ post, smtp }: MailingService, mfaToken: string): Promise<string> {
  const { status, body } = await post('/2fa/email', undefined, mfaToken)
  if (status !== 202) throw new Error(`/2fa/email answered ${status}: ${JSON.stringify(body)}`)
  return codeIn(smtp.mails.at(-1))
}

export function answerByEmail(service: Service, code: string, mfaToken: string): Promise<Answer> {
  return service.post('/2fa/verify', { code, method: 'email' }, mfaToken)
}

/** Signs in by password and a mailed code. */
export async function signInByEmail(service: MailingService, username = 'ada'): Promise<Answer> {
  const mfaToken = await login(service, username)
  return answerByEmail(service, await mailedCode(service, mfaToken), mfaToken)
}

/** An account whose one factor is its mailbox. */
export async function enrolByEmail(
  service: MailingService,
  username = 'ada',
): Promise<Omit<Enrolled, 'secret' | 'confirmingCode'> & { email: string }> {
  const email = `${username}@example.com`
  const person = new Person(service, { username, email })
  await expecting(201, person.register())
  await expecting(200, person.verify(await mailedCode(service, person.mfaToken), 'email'))
  const { id, accessToken, accountToken, refreshToken, recoveryCodes } = person
  await deliver(service)
  return { username, id, email, accessToken, accountToken, refreshToken, recoveryCodes }
}

/** Forgets the password and finds the token in the mailbox. */
export async function mailedToken(service: MailingService, username = 'ada'): Promise<string> {
  await service.post('/password/forgot', { username })
  return codeIn(
    (await deliver(service)).find(({ message }) => /reset your password/.test(message.subject ?? '')),
  )
}

/** Asks for another address, with the account token of a session that has just shown password and factor. */
export async function setEmail(service: Service, accessToken: string, email: string): Promise<Answer> {
  return service.put('/me/email', { email }, await accountTokenFor(service, accessToken))
}

export function proveEmail(service: Service, accessToken: string, code: string): Promise<Answer> {
  return service.post('/me/email/verify', { code }, accessToken)
}

/** Gives an account an address and proves it. */
export async function giveAddress(
  service: MailingService,
  accessToken: string,
  email: string,
): Promise<void> {
  const begun = await setEmail(service, accessToken, email)
  if (begun.status !== 202) throw new Error(`PUT /me/email answered ${begun.status}: ${begun.text}`)
  const proven = await proveEmail(service, accessToken, codeIn(service.smtp.mails.at(-1)))
  if (proven.status !== 200) throw new Error(`verify answered ${proven.status}: ${proven.text}`)
  await deliver(service)
}

/** An account with an authenticator and a proven address, which is no factor of it. */
export async function enrolWithAddress(
  service: MailingService,
  username = 'ada',
): Promise<Enrolled & { email: string }> {
  const enrolled = await enrol(service, username)
  const email = `${username}@example.com`
  await giveAddress(service, enrolled.accessToken, email)
  return { ...enrolled, email }
}

/** Switches codes by mail on or off, with the account token of a session that has just shown password and factor. */
export async function switchCodes(service: Service, accessToken: string, enabled: boolean): Promise<Answer> {
  return service.put('/2fa/email', { enabled }, await accountTokenFor(service, accessToken))
}

/** An account with an authenticator and codes by mail. */
export async function enrolWithCodes(
  service: MailingService,
  username = 'ada',
): Promise<Enrolled & { email: string }> {
  const enrolled = await enrolWithAddress(service, username)
  await expecting(204, switchCodes(service, enrolled.accessToken, true))
  await deliver(service)
  return enrolled
}
