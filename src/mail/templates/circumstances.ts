import { isIP } from 'node:net'
import { atFirstUse } from '../../platform/at-first-use.ts'

/** The account that a letter is about, and when and from where the event or request came. */
export interface Circumstances {
  username: string
  /** Epoch milliseconds. */
  at: number
  /** Empty when an operator did it. */
  ip: string
}

const time = atFirstUse(
  () => new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
)

/** @param username `null` in a letter to an address that is not proven: a stranger may have chosen it. */
export function greet(username: string | null): string {
  return username === null ? 'Hello,' : `Hello ${username},`
}

export function factsOf({ at, ip }: Omit<Circumstances, 'username'>): [name: string, value: string][] {
  return [
    ['When', `${time().format(at)} UTC`],
    ip ? ['From', shown(ip)] : ['By', 'the people who run this service'],
  ]
}

/** A proxy may pass on any text as the address of its client, and that of an IPv6 zone is any text too. */
function shown(ip: string): string {
  const [address = ''] = ip.split('%')
  return isIP(address) ? `IP address ${address}` : 'an address that is not known'
}
