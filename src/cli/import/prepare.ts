import type { ImportedAccount } from '../../accounts/imported-account.ts'
import { respellHash, saysNoPassword } from '../../crypto/respell-hash.ts'
import { readStoredHash } from '../../crypto/stored-hash/read-stored-hash.ts'
import { UnreadableHashError } from '../../crypto/stored-hash/stored-hash.ts'
import { type PortableSecrets, SecretError } from '../../factors/factor.ts'
import { factors } from '../../factors/registry.ts'
import { newId } from '../../platform/ids.ts'
import type { Service } from '../../service.ts'
import { texts } from '../../texts/texts.ts'
import { readEmailAddress } from '../../values/email-address.ts'
import { RULE_OF_ROLES, rolesIn, sortedRoles } from '../../values/roles.ts'
import {
  USERNAME_MAX,
  USERNAME_MIN,
  USERNAME_PATTERNS,
  type Usernames,
  usernameKey,
} from '../../values/username.ts'
import { type ImportRecord, readText, readTime, readTruth, textOf, ValueError } from './fields.ts'

/** An account that can be imported. */
export interface Candidate extends ImportedAccount {
  place: string
  /** The scheme of its password hash; `none` when the owner sets a password by mail. */
  scheme: string
  /** Whether its first factor needed an enrolment code where it comes from. */
  owing: boolean
}

/** Whether its owner has a second factor already. */
export const comesWithFactor = ({ secrets }: Pick<ImportedAccount, 'secrets'>): boolean =>
  Object.keys(secrets).length > 0

export interface Refusal {
  place: string
  username: string
  reasons: string[]
}

/** What is thrown about a value; the rest are faults of ours. */
const FAULTS = [ValueError, UnreadableHashError, SecretError]

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * Checks one account by itself.
 *
 * @param nobodysHash the hash of a password that no one knows, for accounts without a password.
 * @returns the account, or every reason why it cannot be imported. No reason repeats a hash or a secret.
 */
export function makePrepare(nobodysHash: string, { clock, usernames }: Pick<Service, 'clock' | 'usernames'>) {
  const readUsername = makeReadUsername(usernames)
  return ({ place, values }: ImportRecord): Candidate | Refusal => {
    const reasons: string[] = []
    const read = <T>(name: string, how: (value: unknown) => T, otherwise: T): T => {
      const value = values[name]
      if (value === undefined || value === null || value === '') return otherwise
      try {
        return how(value)
      } catch (error) {
        if (!FAULTS.some((fault) => error instanceof fault)) throw error
        reasons.push(`${name}: ${(error as Error).message}`)
        return otherwise
      }
    }

    const now = clock.now()
    const username = read('username', readUsername, '')
    if (username === '' && reasons.length === 0) reasons.push('username: it is missing')
    const email = read('email', readEmail, null)
    const emailVerified = read('email_verified', readTruth, false)
    const without = !values.password_hash || saysNoPassword(textOf(values.password_hash))
    const passwordHash = without ? null : read('password_hash', (value) => respellHash(readText(value)), null)
    if (without && !(email && emailVerified))
      reasons.push(
        'password_hash: it is missing, and without a proven address the owner cannot set a password',
      )
    /** Reads the secret of one factor from the fields that belong to it. */
    const readSecret = ({ fields, read: readFields }: PortableSecrets): Buffer | null => {
      const names = Object.keys(fields)
      const texts = names.map((name) => [name, read(name, readText, '')] as const)
      const given = Object.fromEntries(texts.filter(([, text]) => text !== ''))
      const [secret = ''] = names
      return secret in given ? read(secret, () => readFields(given), null) : null
    }
    const secrets: Record<string, Buffer> = {}
    for (const { method, portable } of factors) {
      const secret = portable && readSecret(portable)
      if (secret) secrets[method] = secret
    }
    const owing = read('enrolment_code_required', readTruth, false)
    if (owing && comesWithFactor({ secrets })) reasons.push('enrolment_code_required: it comes with a factor')

    const candidate = {
      place,
      id: read('id', readUuid, null) ?? newId(clock),
      username,
      email,
      emailVerifiedAt: email && emailVerified ? now : null,
      passwordHash: passwordHash ?? nobodysHash,
      scheme: passwordHash === null ? 'none' : readStoredHash(passwordHash).scheme,
      secrets,
      owing,
      createdAt: read('created_at', (value) => readTime(value, now), now),
      roles: read('roles', readRoles, []),
      disabledAt: read('disabled', readTruth, false) ? now : null,
    }
    return reasons.length === 0 ? candidate : { place, username: username || shown(values.username), reasons }
  }
}

/** A random password of 122 bits that no one knows. The caller hashes it. */
export const nobodysPassword = () => crypto.randomUUID()

function makeReadUsername(usernames: Usernames): (value: unknown) => string {
  const pattern = new RegExp(USERNAME_PATTERNS[usernames])
  return (value) => {
    const username = readText(value)
    if (username.length < USERNAME_MIN || username.length > USERNAME_MAX)
      throw new ValueError(`it must have ${USERNAME_MIN} to ${USERNAME_MAX} characters`)
    if (usernames === 'plain' && username.includes('@'))
      throw new ValueError('it has an @, which USERNAMES=plain does not allow')
    if (!pattern.test(username))
      throw new ValueError(
        "it may have only A-Z a-z 0-9 . _ @ + ' -, and must begin and end with a letter or digit",
      )
    return username
  }
}

function readEmail(value: unknown): string {
  const email = readEmailAddress(readText(value))
  if ('fault' in email) throw new ValueError(texts.emailFaults[email.fault])
  return email.address
}

function readRoles(value: unknown): string[] {
  const roles = sortedRoles(Array.isArray(value) ? value.map(readText) : rolesIn(readText(value)))
  if (!roles) throw new ValueError(`it is not ${RULE_OF_ROLES}`)
  return roles
}

function readUuid(value: unknown): string {
  const id = readText(value).toLowerCase()
  if (!UUID.test(id)) throw new ValueError('it is not a UUID')
  return id
}

/** The name of an account in the file, for a report. It has no characters that control a terminal. */
function shown(username: unknown): string {
  return textOf(username ?? '')
    .replace(/\p{C}/gu, '\u{fffd}')
    .slice(0, USERNAME_MAX)
}

/** The key by which an account must be unique. */
export const keyOf = ({ username }: Pick<Candidate, 'username'>) => usernameKey(username)
