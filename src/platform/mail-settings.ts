import { readEmailAddress } from '../values/email-address.ts'
import { misspelt, type Reader } from './environment.ts'
import { faultOfLink } from './link.ts'
import type { Mailbox } from './mailer.ts'

interface MailSettings {
  smtpUrl: string
  mailFrom: Mailbox | null
  emailCodes: boolean
  resetUrl: string
  verifyUrl: string
}

/** `address`, or `name <address>`. */
export function readMailFrom(read: Reader, faults: string[]): Mailbox | null {
  const value = read.text('MAIL_FROM', '')
  if (!value) return null
  const [, name = '', bracketed] = /^([^<>"\p{Cc}]*)<([^<>]+)>$/u.exec(value) ?? []
  const found = readEmailAddress(bracketed ?? value)
  if ('address' in found) return { name: name.trim(), address: found.address }
  faults.push(`MAIL_FROM must be an address, or a name and <address>, not "${value}"`)
  return null
}

/** A link with the place of its token. */
export function readLink(read: Reader, name: string, faults: string[]): string {
  const value = read.text(name, '')
  const fault = value && faultOfLink(value)
  if (fault) faults.push(`${name} ${fault}`)
  return value
}

/** The options that a mail server may need, as nodemailer spells them. */
const SMTP_OPTIONS = ['ignoreTLS', 'requireTLS', 'name', 'secure', 'pool', 'authMethod', 'localAddress']

/** Mail needs a server and a sender; mailed codes and links need mail. */
export function checkMail(
  { smtpUrl, mailFrom, emailCodes, resetUrl, verifyUrl }: MailSettings,
  faults: string[],
): void {
  const url = URL.parse(smtpUrl)
  if (smtpUrl && !/^smtps?:$/.test(url?.protocol ?? '')) faults.push('SMTP_URL must be an smtp or smtps URL')
  for (const [name, meant] of misspelt([...(url?.searchParams.keys() ?? [])], SMTP_OPTIONS))
    faults.push(`SMTP_URL has ?${name}=, which is spelt ?${meant}=`)
  if (smtpUrl && !mailFrom && !faults.some((fault) => fault.startsWith('MAIL_FROM')))
    faults.push('MAIL_FROM must be set when SMTP_URL is')
  const needsMail = { EMAIL_CODES: emailCodes, RESET_URL: resetUrl, VERIFY_URL: verifyUrl }
  for (const [name, set] of Object.entries(needsMail))
    if (set && !smtpUrl) faults.push(`${name} needs SMTP_URL and MAIL_FROM`)
}
