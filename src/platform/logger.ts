import {
  type DestinationStream,
  destination,
  type Logger,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino'

/**
 * JSON lines. What could hold a secret is never handed to the logger; the names below are the second line, for the
 * day somebody logs a request or a body whole.
 */
export function makeLogger(level: string, to: DestinationStream = standardOutput()): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (facts: object) => censored(facts),
    },
    redact: { paths: [...SECRET_MEMBERS], censor: CENSORED },
    serializers: { err: (error: Error) => censored(stdSerializers.err(error)) },
  }
  return pino(options, to)
}

/** Of a log that takes no more. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

/**
 * Lines are written when the requests of this turn of the event loop have their answers, all by one write. pino's
 * own way of writing later hands them to another thread, where a crash can lose or overtake them.
 */
function standardOutput(): DestinationStream & { flushSync(): void } {
  const output = destination({ dest: 1, sync: true, maxLength: MOST_WAITING_BYTES })
  // A disk that is full must not end the process: what cannot be written waits, and what is too much is lost.
  output.on('error', () => {})
  let lines = ''
  const flush = () => {
    if (lines !== '') output.write(lines)
    lines = ''
  }
  process.once('exit', flush)
  return {
    write(line) {
      if (lines === '') setImmediate(flush)
      lines += line
    },
    // What pino calls before the last words of a process.
    flushSync: flush,
  }
}

const CENSORED = '[redacted]'

/** How deep a secret is looked for. */
const DEPTH = 3

/**
 * What lies deeper than pino's own redaction is told to look, which goes through each of its paths for each line:
 * with three levels of them a line cost as much as finding a session.
 */
function censored(facts: object, depth = DEPTH): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(facts))
    if (SECRET_MEMBERS.has(name)) copy[name] = CENSORED
    else copy[name] = depth > 1 && hasMembers(value) ? censoredValue(value, depth - 1) : value
  return copy
}

function censoredValue(value: object, depth: number): object {
  return Array.isArray(value) ? Object.values(censored(value, depth)) : censored(value, depth)
}

/** What is written member by member; an error has its own serializer, and a date is not an object in JSON. */
function hasMembers(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Error) && !('toJSON' in value)
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
