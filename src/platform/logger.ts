import { hostname } from 'node:os'
import { styleText } from 'node:util'
import {
  type DestinationStream,
  destination,
  type Logger,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino'
import { VERSION } from '../version.ts'

/** Which process this is, for people: its machine or container, and its id there. */
export const INSTANCE = `${hostname()}:${process.pid}`

/**
 * JSON lines, each with the process and the version it is of; on a terminal, lines for people. What could hold a secret is never handed to the logger; the names below
 * are the second line, for the day when a request or a body is logged whole.
 */
export function makeLogger(level: string, to: DestinationStream = standardOutput()): Logger {
  const options = {
    level,
    base: { instance: INSTANCE, version: VERSION },
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (facts: object) => censored(facts),
    },
    redact: { paths: [...SECRET_MEMBERS], censor: CENSORED },
    serializers: { err: errorFacts },
  }
  return pino(options, to)
}

/** The most that waits while the output accepts nothing. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

/**
 * Lines are written when the requests of this turn of the event loop have their answers, all by one write. pino's
 * own way of writing later hands them to another thread, where a crash can lose or overtake them.
 *
 * Two lines in a turn take 0.79 times the CPU of a write each, eight 0.73 times: 3 us a line
 * (`node test/bench/cleverness.ts log-turns`).
 */
function standardOutput(): DestinationStream & { flushSync(): void } {
  const output = destination({ dest: 1, sync: true, maxLength: MOST_WAITING_BYTES })
  // A full disk must not end the process: lines wait up to the limit, and more are dropped.
  output.on('error', () => {})
  const isTerminal = process.stdout.isTTY
  let lines = ''
  const flush = () => {
    if (lines !== '') output.write(lines)
    lines = ''
  }
  process.once('exit', flush)
  return {
    write(line) {
      if (lines === '') setImmediate(flush)
      lines += isTerminal ? forPeople(line) : line
    },
    // pino calls this before a process ends.
    flushSync: flush,
  }
}

/** The `code` of an error names its kind, such as `SQLITE_FULL`. No secret has that place. */
function errorFacts(error: Error): Record<string, unknown> {
  const facts = stdSerializers.err(error)
  const { code } = facts
  return { ...censored(facts), ...(code !== undefined && { code }) }
}

const CENSORED = '[redacted]'

/** How deep secrets are searched for. */
const DEPTH = 3

/**
 * Censors what lies deeper than pino's redaction is told to look. pino goes through each of its paths for each line:
 * with three levels of them, a line cost as much as finding a session.
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

/**
 * Whether a value is written member by member. An error has its own serializer, and a date is not an object in JSON.
 */
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
  'account_token',
  'refresh_token',
  'client_secret',
  'enrolment_code',
  'idempotency-key',
  'recovery_code',
  'recovery_codes',
  'otpauth_uri',
])

const COLOURS = {
  fatal: 'red',
  error: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'gray',
  trace: 'gray',
} as const

type Facts = Record<string, unknown>

/**
 * A line of the log as people read it on a terminal: `20:15:04 info  request method=POST route=/login status=200`.
 *
 * @param line one JSON document, as the logger writes it.
 */
function forPeople(line: string): string {
  const { time, level, msg, err, instance, version, ...facts } = JSON.parse(line) as Facts
  const name = String(level)
  const known = Object.entries(facts).filter(([, value]) => value !== null)
  const painted = (how: Parameters<typeof styleText>[0], text: string) =>
    styleText(how, text, { stream: process.stdout })
  const words = [
    new Date(String(time)).toTimeString().slice(0, 8),
    painted(COLOURS[name as keyof typeof COLOURS] ?? 'reset', name.padEnd(5)),
    harmless(String(msg)),
    ...known.map(([fact, value]) => `${painted('gray', `${fact}=`)}${harmless(textOf(value))}`),
  ]
  const trace =
    err === undefined ? '' : `\n${harmless(String((err as Facts).stack ?? (err as Facts).message))}`
  return `${words.join(' ')}${trace}\n`
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** Text that a terminal shows and does not obey: some of it comes from clients. */
export const harmless = (text: string) => text.replace(/[^\P{C}\n]/gu, '\u{fffd}')
