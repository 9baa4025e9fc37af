import { isIP } from 'node:net'
import { atFirstUse } from '../../platform/at-first-use.ts'
import { fill, type MailText } from '../../texts/mail-text.ts'
import { texts } from '../../texts/texts.ts'
import type { Letter } from '../letter.ts'

const { address: addressText, by, dates, from, operators, unknownAddress, when } = texts.circumstances

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

/** @param values what the braces of the text stand for. Numbers are lengths of time in the unit that the name says. */
export function letterOf(
  { subject, paragraphs, closing }: MailText,
  about: Omit<Circumstances, 'username'>,
  values: Readonly<Record<string, string | number>>,
): Letter {
  return {
    subject,
    paragraphs: paragraphs.map((paragraph) => fill(paragraph, values)),
    facts: factsOf(about),
    closing: fill(closing, values),
  }
}

function factsOf({ at, ip }: Omit<Circumstances, 'username'>): [name: string, value: string][] {
  return [[when, `${time().format(at)} UTC`], ip ? [from, shown(ip)] : [by, operators]]
}

/** A proxy may pass on any text as the address of its client, and that of an IPv6 zone is any text too. */
function shown(ip: string): string {
  const [address = ''] = ip.split('%')
  return isIP(address) ? fill(addressText, { ip: address }) : unknownAddress
}
