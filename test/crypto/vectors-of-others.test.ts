import t from 'tap'
import { loadArgon2Engine } from '../../src/crypto/argon2-engine.ts'
import { respellHash, saysNoPassword } from '../../src/crypto/respell-hash.ts'
import { readStoredHash } from '../../src/crypto/stored-hash/read-stored-hash.ts'
import { vectors } from '../helpers/people/password-hashes.ts'

/** Hashes that the tests of other programs hold for right are right here too, or refused by their name. */

const engine = await loadArgon2Engine('argon2')
const verify = (text: string, password: string) => readStoredHash(respellHash(text)).verify(password, engine)

/** What is not read, and what is said of it. All others are read. */
const REFUSED: Record<string, RegExp> = {
  phpass: /phpass \(WordPress/,
  django_disabled: /no known kind/,
  django_des_crypt: /under (crypt|sha1) is as good as known/,
  django_salted_md5: /under (md5|sha1) is as good as known/,
  django_salted_sha1: /under sha1 is as good as known/,
  atlassian_pbkdf2_sha1: /Atlassian/,
  cta_pbkdf2_sha1: /no known kind/,
  dlitz_pbkdf2_sha1: /no known kind/,
  grub_pbkdf2_sha512: /no known kind/,
}

for (const [name, all] of Object.entries(vectors))
  t.test(`passlib's vectors of ${name}`, async (t) => {
    for (const { password, hash, kind } of all)
      if (password === null || kind !== 'known_correct_hashes')
        t.throws(() => respellHash(hash), { name: 'UnreadableHashError' }, hash)
      else if (REFUSED[name]) t.throws(() => respellHash(hash), { message: REFUSED[name] }, hash)
      else t.equal(respellHash(respellHash(hash)), respellHash(hash), hash)
    // The others are checked in vectors-of-others.long.test.ts.
    const [{ hash, password } = { hash: '', password: null }] = all
    if (!REFUSED[name] && name !== 'argon2_argon2_cffi')
      for (const [tried, matches] of [
        [password, true],
        [`!${password}`, false],
      ] as const)
        t.equal(await verify(hash, tried ?? ''), matches, `${hash} of ${tried}`)
  })

const ZOE = 'Zoë schläft gut'

/** Made by argon2-cffi, python3-bcrypt and Python's hashlib, by what the programs do as their source has it. */
const OTHERS: readonly [origin: string, password: string, hash: string][] = [
  ['Spring {bcrypt}', ZOE, '{bcrypt}$2a$04$wJMj1oMRWYItkbYGKdKq9OiPIw/p/x9SOuKJEVBaLhaPpF87pXnmC'],
  [
    'Spring {argon2@SpringSecurity_v5_8}',
    ZOE,
    '{argon2@SpringSecurity_v5_8}$argon2id$v=19$m=64,t=2,p=2$DNBYWL8f7eKSuBL2BGFJcA$dUagGlcPbJWXyCIRjv4ZBt+eZUU5oQFup0oqFiKij/g',
  ],
  [
    'Spring {pbkdf2}',
    ZOE,
    '{pbkdf2}01020304050607089ae374252dcf6ef0181f20abbb4e98477fa8298d11f9d7d9e67b08ccda0f4587',
  ],
  [
    'Spring {pbkdf2@SpringSecurity_v5_8}',
    ZOE,
    '{pbkdf2@SpringSecurity_v5_8}0102030405060708090a0b0c0d0e0f108685869308af3187fb0dc77ee002321bef8a92dfba283460f023fec5fb583e4c',
  ],
  [
    'Spring {scrypt@SpringSecurity_v5_8}',
    ZOE,
    '{scrypt@SpringSecurity_v5_8}$a0801$AQIDBAUGBwgJCgsMDQ4PEA==$kF2UItvQnZVMTDPKVRtScCK8agsMQr7NQKFZ52ClWA0=',
  ],
  [
    'Better Auth, which hashes NFKC',
    'Zoë schläft ﬁn gut',
    '0102030405060708090a0b0c0d0e0f10:540864a7c1dc26c193aef15092dd6d87a8e4ed632ddf8def242dc59557cc4009e3739a909cac48d449b44aac8f32482bab8bdf1569bbb86d3efef3499e86455c',
  ],
  [
    'Django argon2 without version, of its own tests',
    'secret',
    'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg',
  ],
]

for (const [origin, password, hash] of OTHERS)
  t.test(`${origin} is read`, async (t) => {
    t.equal(await verify(hash, password), true)
    t.equal(await verify(hash, `${password}!`), false)
    t.equal(respellHash(respellHash(hash)), respellHash(hash))
  })

t.test('a hash of the bytes of a decomposed password matches from every keyboard', async (t) => {
  for (const hash of [
    '$argon2id$v=19$m=64,t=2,p=2$py9Y4k0JajsAMbK9qixKHw$fSHP3IQ79QdyyqcMt7Yc5c+NWSqLEcbqWMM8IXexI2s',
    '$2b$04$0EO9bsjtQufQuEIrRh0xcuKxhl3/23eK5bKJCmp1z0NQJWw8U7dVu',
  ]) {
    for (const form of ['NFC', 'NFD']) t.equal(await verify(hash, ZOE.normalize(form)), true, form)
    t.equal(await verify(hash, 'Zoe schlaft gut'), false)
  }
})

t.test('a hash made here costs one hash, whatever the letters of the password', async (t) => {
  let asked = 0
  const counting = { ...engine, verify: async () => ++asked === 0 }
  const own = await engine.hash(ZOE, { memoryKib: 8, passes: 1, parallelism: 1 })
  t.equal(await readStoredHash(own).verify(`${ZOE}!`, counting), false)
  t.equal(asked, 1)
})

t.test('SHA-crypt, which Node.js cannot compute in the background, has a thread of its own', async (t) => {
  let threads = 0
  const count = () => {
    threads += 1
  }
  process.on('worker', count)
  t.teardown(() => process.off('worker', count))
  const [{ hash, password } = { hash: '', password: '' }] = vectors.sha256_crypt ?? []
  t.equal(await readStoredHash(hash).verify(String(password), engine), true)
  t.equal(threads, 1)
})

t.test('SHA-crypt takes what crypt(3) takes, since its time and memory grow with the password', async (t) => {
  for (const [length, digest, matches] of [
    [511, 'UO1D7uRhCj1iQQUQBCtfHH3.XLg17lM3s80LpvY26N9', true],
    [512, 'Pa9TxZZyXitQLWS8rjvUuoJjn.WD2yq.W92NCwPmE7D', false],
  ] as const)
    t.equal(await verify(`$5$rounds=1000$saltsalt$${digest}`, 'x'.repeat(length)), matches, `${length}`)
  // U+FDFA is 33 bytes in NFKC: the worker would allocate the square of their number.
  const before = process.resourceUsage().maxRSS
  t.equal(await verify(`$5$rounds=1000$saltsalt$${'a'.repeat(43)}`, '\u{fdfa}'.repeat(1024)), false)
  t.ok(process.resourceUsage().maxRSS - before < 300 * 1024)
})

const TAIL = 'c29tZXNhbHQ$IMit9qkFULCMA/ViizL57cnTLOa5DiVM9eMwpAvPwr4'

t.test('what argon2 and scrypt cannot run is refused with the reason', (t) => {
  for (const [hash, message] of [
    [`$argon2i$v=19$m=127,t=2,p=16$${TAIL}`, /cannot run with the memory, passes or lanes/],
    [`$argon2id$v=19$m=64,t=0,p=1$${TAIL}`, /cannot run/],
    [`$argon2id$v=19$m=64,t=1,p=0$${TAIL}`, /cannot run/],
    [`argon2$argon2id$m=1,t=1,p=1$${TAIL}`, /cannot run/],
    // @node-rs/argon2 decodes no leading zeros.
    [`$argon2id$v=19$m=64,t=01,p=1$${TAIL}`, /no known kind/],
    // RFC 7914 section 2.
    [`$scrypt$ln=16,r=1,p=1$c2FsdA$${'A'.repeat(43)}`, /scrypt cannot run/],
    [`$argon2id$v=19$m=64,t=1,p=1$${TAIL.slice(0, -2)}`, /cut off/],
    [`$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHR${TAIL.slice(11)}`, /cut off/],
  ] as const)
    t.throws(() => respellHash(hash), { name: 'UnreadableHashError', message }, hash)
  t.end()
})

t.test('what is not read is called by its right name', (t) => {
  for (const [hash, message] of [
    ['{noop}correct horse', /Spring's \{noop\} is the password itself/],
    ['{MD5}5f4dcc3b5aa765d61d8327deb882cf99', /Spring's digests without cost/],
    ['{pbkdf2}0102', /Spring has not the form/],
    ['{SSHA}abcdef', /LDAP/],
    ['AQAAAAEAACcQAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==', /ASP\.NET.*3/],
    ['AAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLw==', /ASP\.NET.*2/],
    ['$wp$2y$10$abcdefghijklmnopqrstuv', /WordPress/],
    ['$S$D7h3', /Drupal/],
    ['$fbscrypt$v=1', /Firebase/],
    ['$1$salt$digest', /MD5 of crypt\(3\) is as good as known/],
    ['$y$j9T$salt$digest', /only bcrypt, sha256_crypt and sha512_crypt/],
    ['$6$salt$abcdef', /crypt\(3\) is damaged/],
    [`$6$rounds=1000001$salt$${'a'.repeat(86)}`, /too much work/],
  ] as const)
    t.throws(() => respellHash(hash), { name: 'UnreadableHashError', message }, hash)
  t.end()
})

t.test('what begins as no hash does says that there is no password', (t) => {
  for (const text of ['!', '!427s74qLPBHGKWIu9Xcsjs1xo0A8fLjJ0N3BCCrE', '*', '!!']) t.ok(saysNoPassword(text))
  for (const [, , hash] of OTHERS) t.notOk(saysNoPassword(hash))
  t.end()
})
