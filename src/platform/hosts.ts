import { isIP } from 'node:net'

/** Whether a host to listen on stands for every address of this machine (RFC 4291 section 2.5.2 for IPv6). */
export const isEveryAddress = (host: string) => host === '0.0.0.0' || host === '::'

/** Whether it can be listened on: an address, or a name that a URL can have. */
export const isHost = (host: string) =>
  isIP(host) !== 0 || (/^[\p{L}\p{N}._-]+$/u.test(host) && URL.canParse(`http://${host}`))

/** A host as it stands in a URL: IPv6 in brackets (RFC 3986 section 3.2.2), and without the zone of this machine. */
export const inUrl = (host: string) => (host.includes(':') ? `[${host.replace(/%.*/, '')}]` : host)

/** The path of a URL that others stand under, empty for none. */
export const basePathOf = (url: string) => new URL(url).pathname.replace(/\/$/, '')

/** Whether the name of a host says that it is this machine: data for it does not pass a network. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** The parameter `?tls=off` of a URL allows clear text. */
const SWITCH = 'tls'

/** Whether what goes to this URL can be read on its way there: `clear` is the protocol without TLS, such as `http:`. */
export const goesInClear = ({ protocol, hostname }: URL, clear: string) =>
  protocol === clear && !isLoopback(hostname)

/**
 * Checks that a URL of another machine has TLS, or says `?tls=off`.
 *
 * @param clear the protocol without TLS, such as `http:`.
 * @returns the fault, without repeating the URL: it may hold a password.
 */
export function faultOfTls(url: URL, clear: string): string | undefined {
  const said = url.searchParams.get(SWITCH)
  if (said !== null && !(said === 'off' && url.protocol === clear))
    return `can have ?tls=off alone, and only with ${clear}//`
  if (said === null && goesInClear(url, clear))
    return `must speak TLS (${clear.replace(':', 's:')}//): what goes to another machine in clear text can be read on the way. ?tls=off allows it`
  return undefined
}

/** The URL for the libraries, which would take the switch for a parameter of theirs. */
export function withoutTlsSwitch(value: string): string {
  if (!URL.parse(value)?.searchParams.has(SWITCH)) return value
  const [place = '', query = ''] = value.split('?')
  const kept = query.split('&').filter((part) => !part.startsWith(`${SWITCH}=`))
  return kept.length > 0 ? `${place}?${kept.join('&')}` : place
}
