import { createHash, createHmac } from 'node:crypto'
import { verify } from '@node-rs/bcrypt'
import { type StoredHash, UnreadableHashError } from './stored-hash.ts'

/** About two seconds of work. */
const MAX_COST = 15

/** bcrypt uses this many bytes. The programs that made these hashes cut off the rest. */
const MAX_PASSWORD_BYTES = 72

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
/** Django: bcrypt of the SHA-256 in hexadecimal. Flask-Bcrypt can be set to do the same with long passwords. */
const DJANGO_SHA256 = /^bcrypt_sha256\$(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/
/** passlib: bcrypt of the SHA-256 in base64, from version 2 on keyed with the salt. */
const PASSLIB_SHA256 =
  /^\$bcrypt-sha256\$(?:v=(2),t=)?(2[ab]),(?:r=)?(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/

/** bcrypt, alone or after SHA-256. @throws {UnreadableHashError} */
export function readBcrypt(text: string): StoredHash | null {
  if (BCRYPT.test(text))
    return { ...bcrypt('bcrypt', text, (password) => Buffer.from(password)), readsBytes: MAX_PASSWORD_BYTES }

  const [, django] = DJANGO_SHA256.exec(text) ?? []
  if (django)
    return bcrypt('bcrypt-sha256', django, (password) =>
      Buffer.from(createHash('sha256').update(password).digest('hex')),
    )

  const [, keyed, version, cost, salt = '', digest] = PASSLIB_SHA256.exec(text) ?? []
  if (!version) return null
  return bcrypt('bcrypt-sha256', `$${version}$${cost?.padStart(2, '0')}$${salt}${digest}`, (password) => {
    const hash = keyed ? createHmac('sha256', salt) : createHash('sha256')
    return Buffer.from(hash.update(password).digest('base64'))
  })
}

function bcrypt(scheme: string, text: string, keyOf: (password: string) => Buffer): StoredHash {
  const cost = Number(BCRYPT.exec(text)?.[1])
  if (!(cost >= 4 && cost <= MAX_COST))
    throw new UnreadableHashError('A stored bcrypt hash asks for too much work')
  return {
    scheme,
    verify: (password) => verify(keyOf(password).subarray(0, MAX_PASSWORD_BYTES), text),
  }
}
