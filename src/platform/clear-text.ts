import { isLoopback } from './loopback.ts'

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
