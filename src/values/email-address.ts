import { domainToASCII } from 'node:url'

export const EMAIL_MAX = 254

export type EmailFault = 'parts' | 'not_ascii' | 'local_part' | 'domain' | 'too_long'

/** RFC 5321 section 4.1.2, without quotes: comments, groups and lists could deliver to another mailbox. */
const LOCAL_PART = /^(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
/** A domain name, whose last label is no number: that is an address of the network. */
const DOMAIN = /^([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+(?!\d+$)[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i

/**
 * A strict reading of an address, with an internationalised domain as punycode (RFC 5891).
 *
 * @returns the address as mail servers take it, or why it is not taken.
 */
export function readEmailAddress(text: string): { address: string } | { fault: EmailFault } {
  const [local = '', domain = '', ...more] = text.split('@')
  if (!local || !domain || more.length > 0) return { fault: 'parts' }
  const ascii = /^\p{ASCII}*$/u
  if (!ascii.test(local)) return { fault: 'not_ascii' }
  if (!LOCAL_PART.test(local)) return { fault: 'local_part' }
  const host = ascii.test(domain) ? domain : domainToASCII(domain)
  if (!DOMAIN.test(host)) return { fault: 'domain' }
  const address = `${local}@${host}`
  return address.length > EMAIL_MAX ? { fault: 'too_long' } : { address }
}

/** The spelling by which a proven address is found, without regard to case; `undefined` for what is no address. */
export function addressKey(text: string): string | undefined {
  // In lower case first: some letters become ASCII by that, in a username as well.
  const read = text.includes('@') && readEmailAddress(text.toLowerCase())
  return read && 'address' in read ? read.address : undefined
}

/** Shows just enough for the owner to recognise the mailbox: `a***@e***.com`. */
export function maskAddress(address: string): string {
  const [local = '', domain = ''] = address.split('@')
  const topLevel = domain.slice(domain.lastIndexOf('.'))
  return `${local[0]}***@${domain[0]}***${topLevel}`
}
