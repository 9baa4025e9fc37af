import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { networkOf } from '../values/network.ts'
import { usernameKey } from '../values/username.ts'

// The subjects under which wrong passwords are counted. Names are hashed, unknown ones too: a counter must not reveal
// who has an account here.

/** The name from one network. */
export function from(keyedHash: KeyedHash, username: string, ip: string): string {
  return keyedHash('sign-in subject', usernameKey(username), networkOf(ip))
}

/**
 * All subjects under which a name is counted that was tried from these addresses, in the order in which a sign-in locks
 * its own.
 */
export function subjectsOf(keyedHash: KeyedHash, username: string, ips: readonly string[]): string[] {
  return [...new Set([...ips.map((ip) => from(keyedHash, username, ip)), anywhere(keyedHash, username)])]
}

/** The name from all networks together that are not the account's own. */
export function anywhere(keyedHash: KeyedHash, username: string): string {
  return keyedHash('sign-in subject', usernameKey(username))
}
