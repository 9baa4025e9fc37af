import { isServiceClientId } from '../values/service-client-id.ts'
import { isUuid } from '../values/uuid.ts'

/** Mailboxes of services and roles (RFC 2142), and titles of people who run a service. */
const RESERVED = [
  'abuse billing contact ftp hostmaster info marketing news noc postmaster sales security support usenet uucp',
  'webmaster www admin administrator moderator official operator root staff superuser sysadmin system anonymous',
  'donotreply help helpdesk mailerdaemon nobody noreply service',
].flatMap((line) => line.split(' '))

/** Whether a stranger could pass for the service, or for the people who run it, by this name. */
export type IsReserved = (username: string) => boolean

/** @param serviceNames what the service itself is called. */
export function makeIsReserved(serviceNames: readonly string[]): IsReserved {
  const reserved = new Set([...RESERVED, ...serviceNames].map(fold))
  // Gateways pass on a username or the id of a service client, and operators name an account by either.
  return (username) => {
    const lower = username.toLowerCase()
    return reserved.has(fold(username)) || isServiceClientId(lower) || isUuid(lower)
  }
}

/** `no-reply` and `NoReply` count as the same name. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[\s._@+-]/g, '')
}
