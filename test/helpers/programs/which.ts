import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The full path of a program, `undefined` where it is not installed. */
export function which(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))
}
