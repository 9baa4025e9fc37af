import { isIP } from 'node:net'

/** Whether the name of a host says that it is this machine: data for it does not pass a network. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
