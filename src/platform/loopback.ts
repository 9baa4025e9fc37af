import { isIP } from 'node:net'

/** Whether a host is this machine itself, as far as its name tells: what is sent there passes no network. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
