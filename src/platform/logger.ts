import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino'

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
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
  }
  return pino(options, to)
}

function standardOutput(): DestinationStream {
  return destination({ dest: 1, sync: false })
}

const SECRET_MEMBERS = [
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
]
