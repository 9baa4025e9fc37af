import { spawnSync } from 'node:child_process'
import t from 'tap'
import { jsonLines, startImporting } from '../helpers/programs/importing.ts'

/** Hashes as the libraries make them today, at the cost that they take by themselves, sign people in here. */

const MODULES = 'import argon2, bcrypt, django, passlib, werkzeug'
const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', MODULES]).status === 0)
const skip = python ? false : 'no python3 with django, argon2, bcrypt, passlib and werkzeug'

const PASSWORD = 'Zoë schläft gut'

/** Prints a line of JSON for each: who made it, and the hash. `null` is a user without a usable password. */
const MAKE = `
import json, sys
from django.conf import settings
hashers = ["PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher", "BCryptPasswordHasher"]
settings.configure(PASSWORD_HASHERS=["django.contrib.auth.hashers." + name for name in hashers])
import django; django.setup()
from django.contrib.auth.hashers import make_password
from passlib import hash
from werkzeug.security import generate_password_hash
password = sys.argv[1]
def show(origin, text): print(json.dumps([origin, text]))
for name in ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt"]:
    show("django " + name, make_password(password, hasher=name))
show("django unusable", make_password(None))
for name in ["sha256_crypt", "sha512_crypt", "pbkdf2_sha256", "bcrypt", "bcrypt_sha256", "argon2", "scrypt"]:
    show("passlib " + name, getattr(hash, name).hash(password))
for method in ["pbkdf2:sha256", "pbkdf2:sha512:1000"]:
    show("werkzeug " + method, generate_password_hash(password, method))
`

t.test('Django, passlib, Werkzeug and OpenSSL', { skip }, async (t) => {
  const made = spawnSync(python as string, ['-c', MAKE, PASSWORD], { encoding: 'utf8' })
  const hashes = made.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, string])
  for (const kind of ['-5', '-6'])
    hashes.push([
      `openssl ${kind}`,
      spawnSync('openssl', ['passwd', kind, PASSWORD]).stdout.toString().trim(),
    ])
  t.equal(hashes.length, 17, made.stderr)

  const { service, keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines(
      ...hashes.map(([, password_hash], index) => ({
        username: `user${index}`,
        email: `user${index}@example.com`,
        email_verified: true,
        password_hash,
      })),
    ),
  })
  const report = await keyturn.json('import', `${folder}/users.jsonl`, '--apply')
  t.match(report, { applied: true, taken: hashes.length, refused: [], password_hashes: { none: 1 } })
  for (const [index, [origin]] of hashes.entries()) {
    const logIn = async (password: string) =>
      (await service.post('/login', { username: `user${index}`, password })).status
    t.equal(await logIn(PASSWORD.normalize('NFD')), origin === 'django unusable' ? 401 : 200, origin)
    t.equal(await logIn(`${PASSWORD}!`), 401, origin)
  }
})
