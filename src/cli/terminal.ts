import { fstatSync, writeFileSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { styleText } from 'node:util'
import { SingleBar } from 'cli-progress'
import { type Command, Help, InvalidArgumentError } from 'commander'
import { harmless } from '../platform/logger.ts'

/** A command failed. The message is a sentence for the operator. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** A command was used wrongly. The message says what to type instead. */
export class Misused extends Error {
  override readonly name = 'Misused'
}

/** What stands out of a text, and how. */
type Accents = readonly (readonly [what: RegExp, how: Parameters<typeof styleText>[0]])[]

/** Colours parts of a text, where the stream is a terminal. `NO_COLOR` and `FORCE_COLOR` are heeded. */
function accented(text: string, accents: Accents, stream: NodeJS.WriteStream): string {
  return accents.reduce(
    (all, [what, how]) => all.replace(what, (part) => styleText(how, part, { stream })),
    text,
  )
}

/** The headings of tables: no other line is in capitals alone. */
const HEADINGS: Accents = [[/^[A-Z]+(?: +[A-Z_]+)+$/gm, 'bold']]

/**
 * Writes to stdout. `write` says nothing where a file takes only a part of the text.
 *
 * @returns whether the stream takes more at once, as `write` does.
 */
export function print(text: string): boolean {
  const { fd } = process.stdout
  if (fd === undefined || !fstatSync(fd).isFile()) return process.stdout.write(text)
  try {
    writeFileSync(fd, text)
  } catch (error) {
    process.stdout.emit('error', error)
  }
  return true
}

/** Prints the result of a command on stdout: text for people or, with `--json`, one JSON document for programs. */
export function answer(
  command: Command,
  { json, text, accents = HEADINGS }: { json: unknown; text: string; accents?: Accents },
): void {
  const words = command.optsWithGlobals().json
    ? JSON.stringify(json, null, 2)
    : accented(harmless(text), accents, process.stdout)
  if (words) print(words.endsWith('\n') ? words : `${words}\n`)
}

export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Formats rows of cells in columns with two blanks between them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  const padded = rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)))
  return padded.map((cells) => cells.join('  ').trimEnd()).join('\n')
}

const WIDEST_HELP = 100

/** The width of help, in characters. */
export const helpWidth = () => Math.min(process.stdout.columns ?? 80, WIDEST_HELP)

/** Help with its headings in bold. Its prose is as wide as the rest, however it is broken in the sources. */
export function dressed(help: string, stream: NodeJS.WriteStream): string {
  const prose = (lines: string) => new Help().boxWrap(lines.replaceAll('\n', ' '), helpWidth())
  const headings = /^(Usage|Arguments|Options|Global Options|Commands|Examples?|Exit codes)\b.*?:/gm
  return accented(help.replace(/^\S.*(?:\n\S.*)*/gm, prose), [[headings, 'bold']], stream)
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Reads `30m`, `2h`, `7d` as a time that long ago, or a date or time of RFC 3339.
 *
 * @returns epoch milliseconds.
 */
export function pointInTime(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (unit) return Date.now() - Number(count) * UNITS[unit as keyof typeof UNITS]
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new InvalidArgumentError('It must be like 30m, 2h, 7d or 2026-11-21T09:30:00Z.')
}

/** Reads a whole number within bounds from the command line. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= min && number <= max) return number
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

/**
 * Asks before an operation that cannot be undone; `--yes` skips the question.
 *
 * @throws {Misused} when there is no terminal to ask at.
 * @throws {CommandFailed} when the answer is not yes.
 */
export async function confirm(command: Command, question: string): Promise<void> {
  if (command.optsWithGlobals().yes) return
  if (!process.stdin.isTTY) throw new Misused(`${question} Without a terminal, confirm with --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const reply = await terminal
    .question(`${question} [y/N] `)
    // Ctrl+C and Ctrl+D.
    .catch(() => '')
    .finally(() => terminal.close())
  if (!/^y(es)?$/i.test(reply.trim())) throw new CommandFailed('Nothing was done.')
}

/**
 * Reads a new password: typed twice without being shown, or the first line of stdin when that is not a terminal. It
 * is never an argument, which other users of the machine could read.
 *
 * @throws {CommandFailed}
 */
export async function readNewPassword(): Promise<string> {
  if (!process.stdin.isTTY) return firstLine(await text(process.stdin))
  const password = await askHidden('Password: ')
  if ((await askHidden('Repeat the password: ')) !== password)
    throw new CommandFailed('The two passwords differ. Nothing was done.')
  return password
}

function firstLine(input: string): string {
  const [line = ''] = input.split(/\r?\n/)
  if (line === '')
    throw new CommandFailed(
      'There is no password on stdin. Put it there, use --by-mail, or run this on a terminal.',
    )
  return line
}

async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const closed = new AbortController()
  terminal.once('SIGINT', () => terminal.close()).once('close', () => closed.abort())
  process.stderr.write(question)
  try {
    return await terminal.question('', { signal: closed.signal })
  } catch {
    throw new CommandFailed('Nothing was done.')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

/** The progress of long work. */
export interface Progress {
  advance(by: number): void
  end(): void
}

/** Shows a bar on stderr, if that is a terminal. */
export function showProgress(what: string, total: number): Progress {
  if (!process.stderr.isTTY) return { advance: () => {}, end: () => {} }
  const bar = new SingleBar({
    format: `${what} {bar} {value} of {total}, {eta_formatted} left`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    clearOnComplete: true,
    stream: process.stderr,
  })
  bar.start(total, 0)
  return { advance: (by) => bar.increment(by), end: () => bar.stop() }
}

/**
 * Writes a new file that only its owner can read. It is on the disk when this returns, and removed when the work
 * fails.
 *
 * @returns what the work returned.
 * @throws {CommandFailed} when the file exists already or cannot be written.
 */
export const writePrivateFile = <T>(path: string, work: Writing<T>) => writeFile(path, work, 0o600)

/** The same for a file that others may read, if the umask allows it. */
export const writeSharedFile = <T>(path: string, work: Writing<T>) => writeFile(path, work, 0o666)

type Writing<T> = (write: (text: string) => Promise<void>) => Promise<T>

async function writeFile<T>(path: string, work: Writing<T>, mode: number): Promise<T> {
  const file = await openNewFile(path, mode)
  const failed = (error: Error) => {
    throw cannotBeWritten(path, error)
  }
  try {
    // Not write(), which may write only a part without an error.
    const result = await work((text) => file.appendFile(text).catch(failed))
    await file.sync().catch(failed)
    return result
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/**
 * Opens a new file that only its owner can read.
 *
 * @throws {CommandFailed} when the file exists already or cannot be written.
 */
export const openPrivateFile = (path: string) => openNewFile(path, 0o600)

async function openNewFile(path: string, mode: number): Promise<FileHandle> {
  try {
    return await open(path, 'wx', mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CommandFailed(`The file ${path} is there already. Name another one.`)
    throw cannotBeWritten(path, error as Error)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to',
  EPERM: 'this user has no right to',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk has no room left for this user',
  EFBIG: 'it is larger than a file may be here',
  EIO: 'the disk has a fault',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
}

/** Why something cannot be written, in words that follow a colon. */
export const reasonOf = ({ code = '', message }: NodeJS.ErrnoException) => REASONS[code] ?? (code || message)

function cannotBeWritten(path: string, error: NodeJS.ErrnoException): CommandFailed {
  const { code } = error
  if (path === '') return new CommandFailed('The name of the file is empty.')
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new CommandFailed(`There is no folder ${dirname(path)}.`)
  return new CommandFailed(`The file ${path} cannot be written: ${reasonOf(error)}.`)
}
