/** Whose account a letter is about, when what it tells of was asked for, and from where. */
export interface Circumstances {
  username: string
  /** Epoch milliseconds. */
  at: number
  /** Empty when the people who run the service did it. */
  ip: string
}

const TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

export function factsOf({ at, ip }: Circumstances): [name: string, value: string][] {
  return [
    ['When', `${TIME.format(at)} UTC`],
    ip ? ['From', `IP address ${ip}`] : ['By', 'the people who run this service'],
  ]
}
