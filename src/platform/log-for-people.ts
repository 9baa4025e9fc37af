import { styleText } from 'node:util'

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
export function forPeople(line: string): string {
  const { time, level, msg, err, instance, version, ...facts } = JSON.parse(line) as Facts
  const name = String(level)
  const words = [
    new Date(String(time)).toTimeString().slice(0, 8),
    styleText(COLOURS[name as keyof typeof COLOURS] ?? 'reset', name.padEnd(5), { stream: process.stdout }),
    harmless(String(msg)),
    ...Object.entries(facts).map(([fact, value]) => `${fact}=${harmless(textOf(value))}`),
  ]
  const trace =
    err === undefined ? '' : `\n${harmless(String((err as Facts).stack ?? (err as Facts).message))}`
  return `${words.join(' ')}${trace}\n`
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** Text that a terminal shows and does not obey: some of it comes from clients. */
export const harmless = (text: string) => text.replace(/[^\P{C}\n]/gu, '\u{fffd}')
