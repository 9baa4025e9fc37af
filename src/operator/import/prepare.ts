import { randomUUID } from 'node:crypto'
import { EMAIL_MAX, EMAIL_PATTERN } from '../../accounts/email-address.ts'
import type { ImportedAccount } from '../../accounts/import-accounts.ts'
import { USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERN, usernameKey } from '../../accounts/username.ts'
import { respellHash } from '../../crypto/hash-spelling/index.ts'
import { readStoredHash } from '../../crypto/stored-hash/index.ts'
import { UnreadableHashError } from '../../crypto/stored-hash/stored-hash.ts'
import type { Clock } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { FieldName, ImportRecord } from './record.ts'
import { readTotpSecret } from './totp-secret.ts'
import { readText, readTime, readTruth, ValueError } from './values.ts'

/** An account that may be taken. */
export interface Candidate extends ImportedAccount {
  place: string
  /** Of its password hash; `none` when the owner is to set a password by mail. */
  scheme: string
}

const USERNAME = new RegExp(USERNAME_PATTERN)
const EMAIL = new RegExp(EMAIL_PATTERN)
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * Checks everything about one account by itself.
 *
 * @param nobodysHash of a password that nobody knows, for accounts without one.
 * @returns the account, or every reason why it cannot be taken; no reason repeats a hash or a secret.
 */
export function makePrepare({ clock, nobodysHash }: { clock: Clock; nobodysHash: string }) {
  return ({
    place,
    values,
  }: ImportRecord): Candidate | { place: string; username: string; reasons: string[] } => {
    const reasons: string[] = []
    const read = <T>(name: FieldName, how: (value: unknown) => T, otherwise: T): T => {
      const value = values[name]
      if (value === undefined || value === null || value === '') return otherwise
      try {
        return how(value)
      } catch (error) {
        if (!(error instanceof ValueError || error instanceof UnreadableHashError)) throw error
        reasons.push(`${name}: ${error.message}`)
        return otherwise
      }
    }

    const now = clock.now()
    const username = read('username', readUsername, '')
    if (username === '' && reasons.length === 0) reasons.push('username: it is missing')
    const email = read('email', readEmail, null)
    const emailVerified = read('email_verified', readTruth, false)
    const passwordHash = read('password_hash', (value) => respellHash(readText(value)), null)
    if (passwordHash === null && !values.password_hash && !(email && emailVerified))
      reasons.push('password_hash: it is missing, and there is no proven address to set a password by')
    const parameters = {
      digits: read('totp_digits', readText, '6'),
      period: read('totp_period', readText, '30'),
      algorithm: read('totp_algorithm', readText, 'SHA1'),
    }

    const candidate = {
      place,
      id: read('id', readUuid, null) ?? newId(clock),
      username,
      email,
      emailVerifiedAt: email && emailVerified ? now : null,
      passwordHash: passwordHash ?? nobodysHash,
      scheme: passwordHash === null ? 'none' : readStoredHash(passwordHash).scheme,
      totpSecret: read('totp_secret', (value) => readTotpSecret(readText(value), parameters), null),
      createdAt: read('created_at', (value) => readTime(value, now), now),
      disabledAt: read('disabled', readTruth, false) ? now : null,
    }
    return reasons.length === 0 ? candidate : { place, username: username || shown(values.username), reasons }
  }
}

/** An argument that cannot be a password: 122 random bits, hashed by the caller. */
export const nobodysPassword = () => randomUUID()

function readUsername(value: unknown): string {
  const username = readText(value)
  if (username.length < USERNAME_MIN || username.length > USERNAME_MAX)
    throw new ValueError(`it has not ${USERNAME_MIN} to ${USERNAME_MAX} characters`)
  if (!USERNAME.test(username))
    throw new ValueError('it has others than A-Z a-z 0-9 . _ @ + -, or begins or ends with a sign')
  return username
}

function readEmail(value: unknown): string {
  const email = readText(value)
  if (email.length > EMAIL_MAX || !EMAIL.test(email))
    throw new ValueError('it is not an address that mail can be sent to')
  return email
}

function readUuid(value: unknown): string {
  const id = readText(value).toLowerCase()
  if (!UUID.test(id)) throw new ValueError('it is not a UUID')
  return id
}

/** What a file calls an account that has no name of ours; nothing that a terminal would act on. */
function shown(username: unknown): string {
  return String(username ?? '')
    .replace(/\p{C}/gu, '\u{fffd}')
    .slice(0, USERNAME_MAX)
}

/** Under what an account must be alone. */
export const keyOf = ({ username }: Pick<Candidate, 'username'>) => usernameKey(username)
