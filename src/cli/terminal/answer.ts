import type { Command } from 'commander'
import { harmless } from '../../platform/log-for-people.ts'

/** Prints the result of a command on stdout: text for people or, with `--json`, one JSON document for programs. */
export function answer(command: Command, { json, text }: { json: unknown; text: string }): void {
  const words = command.optsWithGlobals().json ? JSON.stringify(json, null, 2) : harmless(text)
  if (words) process.stdout.write(words.endsWith('\n') ? words : `${words}\n`)
}

/** Formats rows of cells in columns with two blanks between them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
