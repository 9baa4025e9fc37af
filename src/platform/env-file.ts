import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** Beginnings that tell the encoding of a text (RFC 3629 section 6, RFC 2781 section 3.2). */
const MARKS: readonly [mark: string, encoding: string][] = [
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be'],
]

const ASSIGNMENT =
  /^[ \t]*(?:export +)?([\w.-]+)[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|[^\n]*)[ \t]*(?:#[^\n]*)?/gm

/** A value without quotes that has a # straight after a character, where Node.js begins a comment and others do not. */
const CUT = /^[^=]*=(?![ \t]*["'`])[^#\n]*(?<![ \t])#/

/**
 * Reads `.env` in the working directory, if there is one. Variables that are already set win. A file that cannot be read as
 * it is meant ends the process with a sentence: a setting that is lost would leave a door open.
 */
export function readEnvFile(): void {
  try {
    const { values, faults } = parseEnvFile(readFileSync('.env'))
    if (faults.length > 0) throw new Error(faults.join('\n'))
    for (const [name, value] of Object.entries(values)) process.env[name] ??= value
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    process.stderr.write(`${code ? `.env cannot be read: ${message}` : message}\n`)
    process.exit(1)
  }
}

/** The settings in the bytes of a `.env`, or what is wrong with it. No fault repeats a value. */
export function parseEnvFile(bytes: Buffer): { values: Record<string, string>; faults: string[] } {
  const text = decode(bytes)
  if (text === null || text.includes('\0'))
    return { values: {}, faults: ['.env is not a text in UTF-8 or UTF-16: save it as UTF-8'] }
  const assignments = [...text.matchAll(ASSIGNMENT)]
  const names = assignments.map(([, name = '']) => name)
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  const rest = text.replace(ASSIGNMENT, (found) => found.replace(/[^\n]/g, ''))
  const lines = rest.split('\n').map((line, index) => [line.trim(), index + 1] as const)
  return {
    values: parseEnv(text) as Record<string, string>,
    faults: [
      ...lines
        .filter(([line]) => line !== '' && !line.startsWith('#'))
        .map(([, number]) => `.env, line ${number}: it is not NAME=value, nor a comment that begins with #`),
      ...assignments
        .filter(([found]) => CUT.test(found))
        .map(({ index }) => text.slice(0, index).split('\n').length)
        .map(
          (number) =>
            `.env, line ${number}: a # begins a comment: put the value in quotes, or a blank before the comment`,
        ),
      ...[...twice].map((name) => `.env sets ${name} twice: take one away`),
    ],
  }
}

/** `null` for what is not text. The mark at the beginning is no part of the first name. */
function decode(bytes: Buffer): string | null {
  const begins = bytes.toString('hex', 0, 2)
  const [, encoding = 'utf-8'] = MARKS.find(([mark]) => mark === begins) ?? []
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    // After "NAME= ", `parseEnv` takes the next line for the value.
    return text.replace(/\r\n?/g, '\n').replace(/=[ \t]+$/gm, '=')
  } catch {
    return null
  }
}
