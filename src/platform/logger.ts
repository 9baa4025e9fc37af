import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

/**
 * JSON lines. What could hold a secret is never handed to the logger; the paths below are the second line, for
 * the day somebody logs a request or a body whole.
 */
export function makeLogger(level: string, destination?: DestinationStream): Logger {
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
  return destination ? pino(options, destination) : pino(options)
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
