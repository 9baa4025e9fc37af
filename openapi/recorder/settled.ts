import { createHash } from 'node:crypto'

/**
 * A copy in which each value that chance has made is replaced by one of the same form, the same at each run. Equal values
 * stay equal. Tokens, pictures, what a passkey signs and the list of
 * problems are shortened.
 *
 * @param exchange a request and its answer.
 */
export function settled<T>(exchange: T): T {
  const replaced = new Map<string, string>()
  const roles = new Map<string, number>()

  /** @param make what stands in for the value, from a seed. */
  const inPlaceOf = (value: string, role: string, make: (seed: string) => string): string => {
    const known = replaced.get(value)
    if (known !== undefined) return known
    const count = (roles.get(role) ?? 0) + 1
    roles.set(role, count)
    const made = make(`${role} ${count}`)
    replaced.set(value, made)
    return made
  }

  const text = (value: string, name: string, parent: object): string => {
    if (JWT.test(value)) return shortened(value)
    if (UUID.test(value)) return inPlaceOf(value, roleOf(name, parent), (seed) => uuid(value, seed))
    if (name in SIGNED) return SIGNED[name] ?? value
    if (name === 'clientDataJSON') return clientData(value)
    if (name === 'qr_png') return `${value.slice(0, 44)}…`
    if (RECOVERY_CODE.test(value)) return inPlaceOf(value, 'recovery code', recoveryCode)
    if (SIX_DIGITS.test(value)) return '492039'
    if (SECRET.test(value)) return inPlaceOf(value, 'secret', (seed) => letters(BASE32, 32, seed))
    if (name === 'otpauth_uri')
      return value.replace(/(?<=secret=)[A-Z2-7]+/, (found) => replaced.get(found) ?? found)
    if (RANDOM.test(value)) return inPlaceOf(value, name, (seed) => letters(BASE64URL, value.length, seed))
    return value
  }

  const walk = (part: unknown, name = '', parent: object = {}): unknown => {
    if (typeof part === 'string') return text(part, name, parent)
    if (typeof part !== 'object' || part === null) return part
    if (Array.isArray(part))
      return (name === 'problems' ? part.slice(0, 2) : part).map((item) => walk(item, name))
    const unread = 'attestationObject' in part ? [...UNREAD, 'authenticatorData'] : UNREAD
    const members = Object.entries(part).filter(([key]) => !unread.includes(key))
    return Object.fromEntries(members.map(([key, value]) => [key, walk(value, key, part)]))
  }
  return walk(exchange) as T
}

const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const RECOVERY_CODE = /^([0-9A-Z]{4}-){5}[0-9A-Z]{4}$/
const SIX_DIGITS = /^\d{6}$/
const SECRET = /^[A-Z2-7]{32}$/
/** Keys, refresh tokens, challenges, and the ids that passkeys have. */
const RANDOM = /^(?=.*\d)(?=.*[A-Z])[\w-]{43,100}$/

/** Members of what a browser sends that the service does not read. */
const UNREAD = ['clientExtensionResults', 'publicKey', 'publicKeyAlgorithm']

/** What a passkey sends: the beginning, which is the same for all of them. */
const SIGNED: Record<string, string> = {
  attestationObject: 'o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVik',
  authenticatorData: 'JlkQTsAKdriMqE84HF0LUSqgiRqfQADxZkQh8fexppk',
  signature: 'MEUCIQ',
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** 2026-11-21T09:30:00Z in milliseconds. */
const TIME = '01a1fd70f1c0'
const HEX = '0123456789abcdef'

const letters = (alphabet: string, length: number, seed: string): string =>
  [...createHash('shake256', { outputLength: length }).update(seed).digest()]
    .map((byte) => alphabet[byte % alphabet.length])
    .join('')

const recoveryCode = (seed: string) => (letters(CROCKFORD, 24, seed).match(/.{4}/g) ?? []).join('-')

/** Of the same version. A UUIDv7 begins with the time. */
function uuid(value: string, seed: string): string {
  const random = letters(HEX, 30, seed)
  const [, version] = /^.{14}(.)/.exec(value) ?? []
  const time = version === '7' ? TIME : random.slice(18)
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${random.slice(0, 3)}-9${random.slice(3, 6)}-${random.slice(6, 18)}`
}

/** An account is the same whether it is called by its `id` or by the `sub` of a token, and so is a session. */
function roleOf(name: string, parent: object): string {
  if (name !== 'id') return name
  if ('username' in parent) return 'sub'
  return 'amr' in parent ? 'sid' : 'factor'
}

/** The header of a JWT, and where its claims begin. */
function shortened(jwt: string): string {
  const [header = '', claims = ''] = jwt.split('.')
  const { kid, ...rest } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const settledHeader = base64url({ ...rest, kid: settled({ kid }).kid })
  return `${settledHeader}.${claims.slice(0, 12)}…`
}

function clientData(value: string): string {
  return base64url(settled(JSON.parse(Buffer.from(value, 'base64url').toString())))
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
