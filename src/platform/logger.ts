import {
  type DestinationStream,
  destination,
  type Logger,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino'

/**
 * JSON lines, written behind the back of the requests that they tell of: a reader who is slow holds up nobody.
 * pino writes what is left when the process ends, also by an error. What could hold a secret is never handed to the logger; the paths below are the second line, for
 * the day somebody logs a request or a body whole.
 */
export function makeLogger(level: string, to: DestinationStream = standardOutput()): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      bindings: (bindings: object) => censored(bindings),
      log: (facts: object) => censored(facts),
    },
    serializers: { err: (error: Error) => censored(stdSerializers.err(error)) },
  }
  return pino(options, to)
}

function standardOutput(): DestinationStream {
  return destination({ dest: 1, sync: false })
}

/** How deep a secret is looked for. */
const DEPTH = 3

/**
 * What pino's own redaction would give, which goes through every one of its paths for each line: it cost as much
 * as the query of a session.
 */
function censored(facts: object, depth = DEPTH): Record<string, unknown> {
  // An error has its own serializer; a copy of it would not be one.
  if (facts instanceof Error) return facts as unknown as Record<string, unknown>
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(facts))
    if (SECRET_MEMBERS.has(name)) copy[name] = '[redacted]'
    else copy[name] = depth > 1 && isPlain(value) ? censored(value, depth - 1) : value
  return copy
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

const SECRET_MEMBERS = new Set([
  'authorization',
  'cookie',
  'password',
  'new_password',
  'current_password',
  'code',
  'secret',
  'token',
  'mfa_token',
  'access_token',
  'refresh_token',
  'recovery_code',
  'recovery_codes',
  'otpauth_uri',
])
