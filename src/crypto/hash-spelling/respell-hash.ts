import { readStoredHash } from '../stored-hash/read-stored-hash.ts'
import { UnreadableHashError } from '../stored-hash/stored-hash.ts'
import { fromDjango } from './django.ts'
import { fromPasslib } from './passlib.ts'
import { fromPhc } from './phc.ts'
import type { ReadSpelling } from './spelling.ts'
import { fromWerkzeug } from './werkzeug.ts'

const spellings: readonly ReadSpelling[] = [fromPhc, fromWerkzeug, fromDjango, fromPasslib]

/**
 * Rewrites the password hash of another program in the spelling that is stored here.
 *
 * @throws {UnreadableHashError} with a sentence for the operator.
 */
export function respellHash(text: string): string {
  for (const read of spellings) {
    const respelled = read(text)
    if (respelled === null) continue
    readStoredHash(respelled)
    return respelled
  }
  throw new UnreadableHashError(explain(text))
}

/** Explains why the stored password of another program cannot be imported. */
function explain(text: string): string {
  if (/^pbkdf2:[a-z]\w*\$/i.test(text)) return 'The PBKDF2 hash does not say how many iterations it has'
  if (/^(md5|sha1|sha256|sha512|crypt|plain|unsalted_md5|unsalted_sha1)\$/.test(text))
    return `A password under ${text.split('$')[0]} is as good as known`
  if (/^\$(1|5|6|apr1)\$/.test(text)) return 'Hashes of crypt(3) other than bcrypt are not read'
  if (/^\{\w+\}/.test(text)) return 'Hashes of LDAP are not read'
  if (/^[0-9a-f]{32,128}$/i.test(text)) return 'A bare digest does not say what made it'
  return 'The hash is of no known kind'
}
