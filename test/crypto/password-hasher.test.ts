import t from 'tap'
import { type Argon2Engine, loadArgon2Engine } from '../../src/crypto/argon2-engine.ts'
import { makeHashQueue } from '../../src/crypto/hash-queue.ts'
import { makePasswordHasher } from '../../src/crypto/password-hasher.ts'

const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 }
const PASSWORD = 'correct horse battery'

const engines = await Promise.all([loadArgon2Engine('argon2'), loadArgon2Engine('node-rs')])
const queue = makeHashQueue({ concurrency: 2, capacity: 1000 })
const found = (hash: string | undefined) => async () => ({ hash, atHome: false })
const hasherOf = (engine: Argon2Engine, cost = CHEAP) => makePasswordHasher({ engine, cost, queue })

for (const engine of engines)
  t.test(`with ${engine.name}`, async (t) => {
    const hasher = await hasherOf(engine)
    const matches = async (stored: string, tried: string) =>
      hasher.verify(found(await hasher.hash(stored)), tried)

    t.test('a password matches its hash, and no other does', async (t) => {
      t.equal(await matches(PASSWORD, PASSWORD), true)
      for (const other of [
        '',
        'Correct horse battery',
        `${PASSWORD} `,
        PASSWORD.slice(1),
        PASSWORD.normalize('NFD').slice(0, -1),
      ])
        t.equal(await matches(PASSWORD, other), false, other)
    })

    t.test('the hash is argon2id with its cost and a salt of its own', async (t) => {
      const [one, other] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)]
      t.match(one, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
      t.not(one, other)
    })

    t.test('one password is the same from every keyboard: NFC and NFD match', async (t) => {
      for (const text of [
        'Zoë schläft gut',
        'żółć żółć żółć',
        '비밀번호비밀번호',
        'Å\u0301 stack',
        '\u212bngström',
      ]) {
        t.equal(await matches(text.normalize('NFC'), text.normalize('NFD')), true, text)
        t.equal(await matches(text.normalize('NFD'), text.normalize('NFC')), true, text)
      }
      t.equal(await matches('ｃorrect horse', 'correct horse'), false, 'but nothing else is folded together')
      t.equal(await matches('correct horse', 'correct\u00a0horse'), false)
      t.equal(await matches('ﬁnancial', 'financial'), false)
    })

    t.test('nothing is cut off at 72 bytes, as bcrypt would, nor at 128, nor at NUL', async (t) => {
      for (const length of [71, 72, 73, 127, 128]) {
        const text = 'a'.repeat(length)
        t.equal(await matches(`${text}b`, `${text}c`), false, `the character after ${length}`)
        t.equal(await matches(text, `${text}a`), false, `${length} and one more`)
      }
      const astral = '🔑'.repeat(127)
      t.equal(await matches(`${astral}🗝`, `${astral}🔒`), false, '512 bytes')
      t.equal(await matches('good\0one', 'good\0two'), false)
      t.equal(await matches('good\0', 'good'), false)
      t.equal(await matches('\0\0\0\0\0\0\0\0', '\0\0\0\0\0\0\0'), false)
    })

    t.test('for an account that does not exist the same work gives no', async (t) => {
      t.equal(await hasher.verify(found(undefined), PASSWORD), false)
    })
  })

t.test('each engine reads what the other wrote', async (t) => {
  for (const writer of engines)
    for (const reader of engines) {
      const phc = await (await hasherOf(writer)).hash('Zoë\0🔑 schläft')
      const hasher = await hasherOf(reader)
      t.equal(await hasher.verify(found(phc), 'Zoë\0🔑 schläft'), true, `${reader.name} reads ${writer.name}`)
      t.equal(await hasher.verify(found(phc), 'Zoë\0🔑 schlief'), false)
      t.equal(hasher.needsRehash(phc, PASSWORD), false)
    }
})

t.test('both agree with the reference implementation of argon2id', async (t) => {
  // From the tests of the reference code (P-H-C/phc-winner-argon2, src/test.c), written as a PHC string.
  const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  for (const engine of engines)
    t.equal(await (await hasherOf(engine)).verify(found(phc), 'password'), true, engine.name)
})

t.test('auto takes an engine that is there', async (t) => {
  t.match((await loadArgon2Engine('auto')).name, /^(node-rs|argon2)\b/)
})

t.test('a hash made at another cost is to be made again', async (t) => {
  const hasher = await hasherOf(engines[0], { memoryKib: 64, passes: 2, parallelism: 1 })
  t.equal(hasher.needsRehash(await hasher.hash(PASSWORD), PASSWORD), false)
  for (const cost of [
    { memoryKib: 32, passes: 2, parallelism: 1 },
    { memoryKib: 64, passes: 3, parallelism: 1 },
    { memoryKib: 64, passes: 2, parallelism: 2 },
  ]) {
    const other = await (await hasherOf(engines[1], cost)).hash(PASSWORD)
    t.equal(hasher.needsRehash(other, PASSWORD), true)
    t.equal(await hasher.verify(found(other), PASSWORD), true, 'and it still matches until then')
  }
})

/** Who can write one row of the database must not make the service spend 4 GiB on it. */
t.test('a stored hash that asks for too much, or is none, is refused before anything runs', async (t) => {
  const ran: string[] = []
  const [engine] = engines
  const watched: Argon2Engine = {
    ...engine,
    verify: (phc, password) => {
      ran.push(phc)
      return engine.verify(phc, password)
    },
  }
  const hasher = await hasherOf(watched)
  const tail = `${'A'.repeat(22)}$${'A'.repeat(43)}`
  const hostile = [
    `$argon2id$v=19$m=4194304,t=2,p=1$${tail}`,
    `$argon2id$v=19$m=1048577,t=2,p=1$${tail}`,
    `$argon2id$v=19$m=8,t=4294967295,p=1$${tail}`,
    `$argon2id$v=19$m=8,t=33,p=1$${tail}`,
    `$argon2id$v=19$m=8,t=1,p=255$${tail}`,
    `$argon2id$v=19$m=99999999999999999999,t=1,p=1$${tail}`,
    `$argon2id$v=19$m=-1,t=1,p=1$${tail}`,
    `$argon2id$v=19$t=1,m=8,p=1$${tail}`,
    `$argon2id$v=18$m=8,t=1,p=1$${tail}`,
    `$argon2i$v=19$m=4194304,t=2,p=1$${tail}`,
    `$argon2x$v=19$m=8,t=1,p=1$${tail}`,
    `$argon2id$v=19$m=8,t=1,p=1$${'A'.repeat(22)}$${'!'.repeat(43)}`,
    `$argon2id$v=19$m=8,t=1,p=1$$`,
    `$argon2id$v=19$m=8,t=1,p=1$${tail}\n`,
    'correct horse battery',
    '',
  ]
  for (const phc of hostile) {
    await t.rejects(hasher.verify(found(phc), PASSWORD), { name: 'UnreadableHashError' }, JSON.stringify(phc))
    t.throws(() => hasher.needsRehash(phc, PASSWORD), { name: 'UnreadableHashError' })
  }
  t.strictSame(ran, [])
})
