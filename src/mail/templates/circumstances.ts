import { isIP } from 'node:net'
import { atFirstUse } from '../../platform/packages.ts'
import type { MailValues } from '../../texts/mail-template.ts'
import type { MailName } from '../../texts/mails.ts'
import { texts } from '../../texts/texts.ts'
import type { Letter } from '../letter.ts'

const { address: addressOf, dates, operators, unknownAddress } = texts.circumstances

/** The account that a letter is about, and when and from where the event or request came. */
export interface Circumstances {
  username: string
  /** Epoch milliseconds. */
  at: number
  /** Empty when an operator did it. */
  ip: string
}

const time = atFirstUse(
  () => new Intl.DateTimeFormat(dates, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
)

/** @param about when and from where, and whatever else the mail has in braces. */
export function letterOf(
  mail: MailName,
  { at, ip, ...values }: Omit<Circumstances, 'username'> & MailValues,
): Letter {
  return { mail, values: { ...values, when: `${time().format(at)} UTC`, from: ip ? shown(ip) : operators } }
}

/** A proxy may pass on any text as the address of its client, and that of an IPv6 zone is any text too. */
function shown(ip: string): string {
  const [address = ''] = ip.split('%')
  return isIP(address) ? addressOf(address) : unknownAddress
}
