import { usernameKey } from '../accounts/username.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { networkOf } from './network.ts'

/**
 * Under what wrong passwords are counted. Names are counted under a hash, known ones like others: a counter must
 * not tell who has an account here.
 */
export interface SignInSubjects {
  /** The name from one network. */
  from(username: string, ip: string): string
  /** The name from all networks that its password never came from. */
  anywhere(username: string): string
}

export function makeSignInSubjects(keyedHash: KeyedHash): SignInSubjects {
  return {
    from: (username, ip) => keyedHash('sign-in subject', usernameKey(username), networkOf(ip)),
    anywhere: (username) => keyedHash('sign-in subject', usernameKey(username)),
  }
}
