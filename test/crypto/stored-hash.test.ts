import t from 'tap'
import { loadArgon2Engine } from '../../src/crypto/argon2-engine.ts'
import { makeHashQueue } from '../../src/crypto/hash-queue.ts'
import { makePasswordHasher } from '../../src/crypto/password-hasher.ts'
import { respellHash } from '../../src/crypto/respell-hash.ts'
import { readStoredHash } from '../../src/crypto/stored-hash/read-stored-hash.ts'
import { FOREIGN_HASHES, FOREIGN_PASSWORD } from '../helpers/people/foreign-hashes.ts'

/** Accounts come with hashes of other programs: the right password matches, no other, at bounded cost. */

const engines = await Promise.all([loadArgon2Engine('argon2'), loadArgon2Engine('node-rs')])

for (const engine of engines)
  t.test(`with ${engine.name}: the password matches its hash, and no other does`, async (t) => {
    for (const [origin, text] of Object.entries(FOREIGN_HASHES)) {
      const hash = readStoredHash(respellHash(text))
      t.equal(await hash.verify(FOREIGN_PASSWORD, engine), true, `${origin} (${hash.scheme})`)
      for (const wrong of ['', `${FOREIGN_PASSWORD} `, FOREIGN_PASSWORD.slice(1), 'Zoe schlaft gut'])
        t.equal(await hash.verify(wrong, engine), false, `${origin}: "${wrong}"`)
    }
  })

t.test('every foreign hash is to be made again, and what was respelled once stays as it is', async (t) => {
  const [engine] = engines
  const queue = makeHashQueue({ concurrency: 1, capacity: 1 })
  const cost = { memoryKib: 8, passes: 1, parallelism: 1 }
  const hasher = await makePasswordHasher({ engine, cost, queue })
  for (const [origin, text] of Object.entries(FOREIGN_HASHES)) {
    const stored = respellHash(text)
    t.equal(hasher.needsRehash(stored, FOREIGN_PASSWORD), true, origin)
    t.equal(respellHash(stored), stored, origin)
  }
})

t.test('the part of a long password that bcrypt never saw does not matter, as before', async (t) => {
  // From bcrypt.hashpw(b'a' * 72, …) of python3-bcrypt.
  const hash = readStoredHash('$2b$04$XXXXXXXXXXXXXXXXXXXXXOu.a4WEAQL1C3w3iCHysWr5sKcMLkBUK')
  const [engine] = engines
  for (const tail of ['', 'b', 'é'.repeat(50)])
    t.equal(await hash.verify('a'.repeat(72) + tail, engine), true, tail)
  t.equal(await hash.verify('a'.repeat(71), engine), false)
})

const DIGEST = 'A'.repeat(43)
const SALT = 'c29tZXNhbHQ'
const HEX = 'ab'.repeat(32)

/** Who controls a row of the old database must not make the service spend gigabytes or minutes on a login. */
t.test('a hash that asks for too much is refused before anything runs', (t) => {
  const hostile = [
    `$2b$31$${'a'.repeat(53)}`,
    `$2b$16$${'a'.repeat(53)}`,
    `$2y$99$${'a'.repeat(53)}`,
    `bcrypt_sha256$$2b$31$${'a'.repeat(53)}`,
    `$bcrypt-sha256$v=2,t=2b,r=31$${'a'.repeat(22)}$${'a'.repeat(31)}`,
    `scrypt:1073741824:8:1$salt$${HEX}`,
    `scrypt:32768:999:1$salt$${HEX}`,
    `scrypt:32768:8:999$salt$${HEX}`,
    `scrypt$1048576$salt$8$1$${DIGEST}=`,
    `$scrypt$ln=63,r=1,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=22,r=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=19,r=8,p=1$${SALT}$${DIGEST}`,
    `pbkdf2:sha256:99999999$salt$${HEX}`,
    `pbkdf2_sha256$99999999$salt$${DIGEST}=`,
    `$pbkdf2-sha256$99999999$${SALT}$${DIGEST}`,
    `$argon2id$v=19$m=4194304,t=1,p=1$${SALT}$${DIGEST}`,
    `$argon2id$v=19$m=262145,t=1,p=1$${SALT}$${DIGEST}`,
    `$argon2id$v=19$m=262144,t=5,p=1$${SALT}$${DIGEST}`,
    `$argon2id$v=19$m=65536,t=17,p=1$${SALT}$${DIGEST}`,
    `$argon2i$m=8,t=99999,p=1$${SALT}$${DIGEST}`,
    `argon2$argon2id$v=19$m=8,t=1,p=255$${SALT}$${DIGEST}`,
  ]
  for (const text of hostile)
    t.throws(
      () => respellHash(text),
      { name: 'UnreadableHashError', message: /asks for too much work/ },
      text,
    )
  t.end()
})

t.test('what libraries recommend is not too much', (t) => {
  // RFC 9106 section 4, the second; libsodium's INTERACTIVE and MODERATE; argon2-cffi and Django.
  for (const cost of ['m=65536,t=3,p=4', 'm=65536,t=2,p=1', 'm=262144,t=3,p=1', 'm=102400,t=2,p=8'])
    t.equal(readStoredHash(`$argon2id$v=19$${cost}$${SALT}$${DIGEST}`).scheme, 'argon2id', cost)
  t.end()
})

t.test('a hash that anything or chance would match is refused', (t) => {
  const empty = [
    'scrypt:32768:8:1$salt$',
    'pbkdf2:sha256:1000$salt$ab',
    `pbkdf2:sha256:1000$salt$${'ab'.repeat(8)}`,
    '$scrypt$ln=10,r=8,p=1$c2FsdA$QUJD',
    '$pbkdf2-sha256$1000$c2FsdA$',
    'pbkdf2_sha256$1000$salt$QUJD',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$',
    `scrypt:0:8:1$salt$${HEX}`,
    `scrypt:1:8:1$salt$${HEX}`,
    `scrypt:1000:8:1$salt$${HEX}`,
    `scrypt:1024:0:1$salt$${HEX}`,
    `pbkdf2:sha256:0$salt$${HEX}`,
    '$2b$03$XXXXXXXXXXXXXXXXXXXXXOu.a4WEAQL1C3w3iCHysWr5sKcMLkBUK',
    '$2x$04$XXXXXXXXXXXXXXXXXXXXXOu.a4WEAQL1C3w3iCHysWr5sKcMLkBUK',
    '$2b$04$short',
    'correct horse battery',
    '!',
    '',
    `${FOREIGN_HASHES['Werkzeug scrypt']}\n`,
    ` ${FOREIGN_HASHES['Werkzeug scrypt']}`,
  ]
  for (const text of empty)
    t.throws(() => respellHash(text), { name: 'UnreadableHashError' }, JSON.stringify(text))
  t.end()
})

t.test('what cannot be taken is named, and never repeated', (t) => {
  const named: [string, RegExp][] = [
    [`md5$salt$${'ab'.repeat(16)}`, /password under md5 is as good as known/],
    ['plain$$correct horse', /password under plain is as good as known/],
    [`pbkdf2:sha256$salt$${HEX}`, /does not say how many iterations/],
    ['5f4dcc3b5aa765d61d8327deb882cf99', /bare digest/],
    ['correct horse battery', /of no known kind/],
  ]
  for (const [text, message] of named) {
    t.throws(() => respellHash(text), { message })
    t.throws(() => respellHash(text), { message: new RegExp(`^(?!.*${text.slice(-10)})`) })
  }
  t.end()
})
