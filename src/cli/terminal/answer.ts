import type { Command } from 'commander'

/** Prints the result of a command on stdout: text for people or, with `--json`, one JSON document for programs. */
export function answer(command: Command, { json, text }: { json: unknown; text: string }): void {
  const words = command.optsWithGlobals().json ? JSON.stringify(json, null, 2) : printable(text)
  if (words) process.stdout.write(words.endsWith('\n') ? words : `${words}\n`)
}

/** Removes characters that control a terminal: clients made up much of the text. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '\u{fffd}')
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
