import t from 'tap'
import { loadArgon2Engine } from '../../src/crypto/argon2-engine.ts'
import { respellHash } from '../../src/crypto/respell-hash.ts'
import { readStoredHash } from '../../src/crypto/stored-hash/read-stored-hash.ts'
import { vectors } from '../helpers/people/password-hashes.ts'

/** Every hash of passlib's tests that is read matches its password, with both engines, and no other one. */

const engines = await Promise.all([loadArgon2Engine('argon2'), loadArgon2Engine('node-rs')])
const readable = /^(sha|.*argon2|bcrypt|django_(pbkdf2|bcrypt)|pbkdf2|scrypt)/

for (const engine of engines)
  t.test(engine.name, async (t) => {
    for (const [name, all] of Object.entries(vectors).filter(([name]) => readable.test(name)))
      for (const { password, hash, kind } of all) {
        if (password === null || kind !== 'known_correct_hashes') continue
        const stored = readStoredHash(respellHash(hash))
        t.equal(await stored.verify(password, engine), true, `${name}: ${hash}`)
        t.equal(await stored.verify(`!${password}`, engine), false, `${name}: ${hash}`)
      }
  })
