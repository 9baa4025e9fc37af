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
  // argon2 is stored as Django spells it. Without `v=` it has version 16.
  [/^(?:argon2)?(\$argon2(?:id|i|d))(\$m=\d.*?)=*$/, (kind, rest) => `argon2${kind}$v=16${rest}`],
  [/^(?:argon2)?(\$argon2(?:id|i|d)\$v=.*?)=*$/, (phc) => `argon2${phc}`],
  // Other PHC strings, bcrypt and crypt(3) are stored as they are.
  [/^(\$(?:scrypt\$ln=|2[aby]\$|bcrypt-sha256\$).*?)=*$/, (whole) => whole],
  [/^(\$[56]\$(?:rounds=\d+\$)?[./0-9A-Za-z]{0,16}\$[./0-9A-Za-z]{43,86})$/, (whole) => whole],
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
  [/^bcrypt\$(\$2[aby]\$.+)$/, (bcrypt) => bcrypt],
  // Django hashes the password first, because bcrypt cuts off long ones. No other spelling has this form.
  [/^(bcrypt_sha256\$\$2[aby]\$.+)$/, (whole) => whole],

  // The form of `passlib.hash` that differs from PHC strings. It is SHA-1 when it names no hash.
  [
    /^\$pbkdf2(?:-(sha256|sha512))?\$([1-9]\d{0,7})\$([A-Za-z0-9./]*)\$([A-Za-z0-9./]+)$/,
    (hash = 'sha1', iterations, salt, digest) => pbkdf2Phc(hash, iterations, dotted(salt), dotted(digest)),
  ],

  // Better Auth: the hexadecimal text is the salt.
  [
    /^([0-9a-f]{32}):([0-9a-f]{128})$/,
    (salt, digest) => scryptPhc({ ln: 14, r: 16, p: 1 }, Buffer.from(salt), hex(digest)),
  ],

  // `DelegatingPasswordEncoder` of Spring Security. PBKDF2 does not say its cost there: it has the one of Spring's defaults.
  [/^\{bcrypt\}(\$2[aby]\$.+)$/, (bcrypt) => bcrypt],
  [/^\{argon2(?:@SpringSecurity_v5_[28])?\}(\$argon2(?:id|i|d)\$v=.+)$/, (phc) => `argon2${phc}`],
  [
    /^\{pbkdf2(?:@SpringSecurity_v5_5)?\}([0-9a-f]{16})([0-9a-f]{64})$/,
    (salt, digest) => pbkdf2Phc('sha1', '185000', hex(salt), hex(digest)),
  ],
  [
    /^\{pbkdf2@SpringSecurity_v5_8\}([0-9a-f]{32})([0-9a-f]{64})$/,
    (salt, digest) => pbkdf2Phc('sha256', '310000', hex(salt), hex(digest)),
  ],
  [
    /^\{scrypt(?:@SpringSecurity_v\d_\d)?\}\$([0-9a-f]{1,2})([0-9a-f]{2})([0-9a-f]{2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/,
    (ln, r, p, salt, digest) =>
      scryptPhc(
        { ln: parseInt(ln, 16), r: parseInt(r, 16), p: parseInt(p, 16) },
        base64(salt),
        base64(digest),
      ),
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

/** What is recognised and not read. No sentence repeats the text. */
const REFUSED: readonly [form: RegExp, reason: string][] = [
  [/^pbkdf2:[a-z]\w*\$/i, 'The PBKDF2 hash does not say how many iterations it has'],
  [/^(\$1\$|\$apr1\$)/, 'A password under the MD5 of crypt(3) is as good as known'],
  [/^\$(y|gy|7|sha1|3)\$/, 'Of the hashes of crypt(3), only bcrypt, sha256_crypt and sha512_crypt are read'],
  [/^\$[56]\$/, 'The hash of crypt(3) is damaged'],
  [/^\$[PH]\$/, 'Hashes of phpass (WordPress, phpBB) are not read'],
  [/^\$wp\$/, 'Hashes of WordPress (bcrypt of an HMAC) are not read'],
  [/^\$S\$/, 'Hashes of Drupal are not read'],
  [/^\$fbscrypt\$/, 'Hashes of Firebase are not read'],
  [/^AQAAAA[A-Za-z0-9+/]{40,}={0,2}$/, 'Hashes of ASP.NET Identity (version 3) are not read'],
  [/^A[A-P][A-Za-z0-9+/]{64}==$/, 'Hashes of ASP.NET Identity (version 2) are not read'],
  [/^\{noop\}/, "Spring's {noop} is the password itself: anyone with the file can read it"],
  [/^\{(MD4|MD5|SHA-1|SHA-256|sha256|ldap)\}/, "Spring's digests without cost are as good as known"],
  [/^\{(bcrypt|argon2|pbkdf2|scrypt)\b/, 'The hash of Spring has not the form that its defaults give'],
  [/^\{PKCS5S2\}/, 'Hashes of Atlassian are not read'],
  [/^\{[\w-]+\}/, 'Hashes of LDAP are not read'],
  [/^[0-9a-f]{32,128}$/i, 'A bare digest does not say what made it'],
]

/** Explains why the stored password of another program cannot be imported. */
function explain(text: string): string {
  const [cheap] = /^(md5|sha1|sha256|sha512|crypt|plain|unsalted_md5|unsalted_sha1)(?=\$)/.exec(text) ?? []
  if (cheap) return `A password under ${cheap} is as good as known`
  return REFUSED.find(([form]) => form.test(text))?.[1] ?? 'The hash is of no known kind'
}

/** Whether a text says that there is no password: Django's and crypt(3)'s `!…` and `*`, which no hash begins with. */
export function saysNoPassword(text: string): boolean {
  return /^[!*]/.test(text)
}
