import { pbkdf2Phc } from './stored-hash/pbkdf2.ts'
import { readStoredHash } from './stored-hash/read-stored-hash.ts'
import { scryptPhc } from './stored-hash/scrypt.ts'
import { UnreadableHashError } from './stored-hash/stored-hash.ts'

const hex = (digest: string) => Buffer.from(digest, 'hex')
const base64 = (digest: string) => Buffer.from(digest, 'base64')
/** passlib's base64 has a dot in place of the plus. */
const dotted = (digest: string) => base64(digest.replaceAll('.', '+'))

/** @param n the cost itself, of which a PHC string has the logarithm. */
const scrypt = (n: string, r: string, p: string, salt: string, digest: Buffer) =>
  scryptPhc({ ln: Math.log2(Number(n)), r: Number(r), p: Number(p) }, Buffer.from(salt), digest)

const pbkdf2 = (hash: string, iterations: string, salt: string, digest: Buffer) =>
  pbkdf2Phc(hash.toLowerCase(), iterations, Buffer.from(salt), digest)

/** What programs write, and what is stored here instead. */
const SPELLINGS: readonly [form: RegExp, respell: (...parts: string[]) => string][] = [
  // PHC strings and bcrypt hashes are stored as they are. argon2 without `v=` has version 16.
  [/^(\$argon2(?:id|i|d))(\$m=\d.*)$/, (kind, rest) => `${kind}$v=16${rest}`],
  [/^(\$(?:argon2(?:id|i|d)\$v=|scrypt\$ln=|2[aby]\$|bcrypt-sha256\$).*?)=*$/, (whole) => whole],
  // PBKDF2 may give the length of its digest, which the digest shows anyway.
  [/^(\$pbkdf2-sha\d+\$i=\d+)(?:,l=\d+)?(.*?)=*$/, (head, rest) => head + rest],

  // `werkzeug.security.generate_password_hash`: the salt is text, the digest hexadecimal.
  [
    /^scrypt:(\d{1,10}):(\d{1,3}):(\d{1,3})\$([^$]+)\$([0-9a-f]+)$/i,
    (n, r, p, salt, digest) => scrypt(n, r, p, salt, hex(digest)),
  ],
  [
    /^pbkdf2:(sha1|sha256|sha512):(\d{1,8})\$([^$]+)\$([0-9a-f]+)$/i,
    (hash, iterations, salt, digest) => pbkdf2(hash, iterations, salt, hex(digest)),
  ],

  // `django.contrib.auth.hashers`: the salt is text, the digest base64.
  [
    /^pbkdf2_(sha1|sha256)\$(\d{1,8})\$([^$]+)\$([A-Za-z0-9+/]+={0,2})$/,
    (hash, iterations, salt, digest) => pbkdf2(hash, iterations, salt, base64(digest)),
  ],
  [
    /^scrypt\$(\d{1,10})\$([^$]+)\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]+={0,2})$/,
    (n, salt, r, p, digest) => scrypt(n, r, p, salt, base64(digest)),
  ],
  [/^argon2(\$argon2(?:id|i|d)\$.+)$/, (phc) => phc],
  [/^bcrypt\$(\$2[aby]\$.+)$/, (bcrypt) => bcrypt],
  // Django hashes the password first, because bcrypt cuts off long ones. No other spelling has this form.
  [/^(bcrypt_sha256\$\$2[aby]\$.+)$/, (whole) => whole],

  // The form of `passlib.hash` that differs from PHC strings. It is SHA-1 when it names no hash.
  [
    /^\$pbkdf2(?:-(sha256|sha512))?\$(\d{1,8})\$([A-Za-z0-9./]*)\$([A-Za-z0-9./]+)$/,
    (hash = 'sha1', iterations, salt, digest) => pbkdf2Phc(hash, iterations, dotted(salt), dotted(digest)),
  ],
]

/**
 * Rewrites the password hash of another program in the spelling that is stored here.
 *
 * @throws {UnreadableHashError} with a sentence for the operator.
 */
export function respellHash(text: string): string {
  for (const [form, respell] of SPELLINGS) {
    const [found, ...parts] = form.exec(text) ?? []
    if (found === undefined) continue
    const respelled = respell(...parts)
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
