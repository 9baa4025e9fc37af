import { isLoopback } from './hosts.ts'

/** `verify-full` checks the certificate and its name, `no-verify` checks neither, and `disable` does not use TLS. */
const SSL_MODES = ['verify-full', 'no-verify', 'disable']

/** Whether a URL is that of a PostgreSQL database. */
export function isPostgresUrl(databaseUrl: string): boolean {
  return /^postgres(ql)?:/.test(databaseUrl)
}

/** @returns the fault of a PostgreSQL URL, without repeating the URL: it may hold a password. */
export function faultOfPostgresUrl(databaseUrl: string): string | undefined {
  const url = URL.parse(databaseUrl)
  if (!url?.hostname || url.pathname.length < 2) return 'must be postgres://<user>@<host>/<database>'
  const mode = url.searchParams.get('sslmode')
  if (mode !== null && !SSL_MODES.includes(mode))
    return `must have one of ${SSL_MODES.join(', ')} as its sslmode: others leave open who is on the other side`
  return undefined
}

/** The URL with its `sslmode`. The default is TLS with a checked certificate, except to this machine. */
export function withSslMode(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  if (!url.searchParams.has('sslmode') && !isLocal(url)) url.searchParams.set('sslmode', 'verify-full')
  return url.href
}

/** The place of the server for people, without user and password. */
export function placeOf(databaseUrl: string): string {
  const { host, pathname, searchParams } = new URL(databaseUrl)
  return `${searchParams.get('host') ?? host}${pathname}`
}

/** `?host=/folder` names a Unix socket, whatever the host of the URL is. */
function isLocal({ hostname, searchParams }: URL): boolean {
  const host = searchParams.get('host') ?? hostname
  return host.startsWith('/') || isLoopback(host)
}
