import { readFileSync } from 'node:fs'

/** A test that docs/compliance.md names: a file and, where it names some, titles in it. */
export interface NamedTest {
  file: string
  titles: string[]
}

/** A line of its tables: what is asked for, and the tests that show it or the words "not met". */
export interface Requirement {
  id: string
  shown: string
  tests: NamedTest[]
}

const ROOT = new URL('../../../', import.meta.url)

export const securityPolicy = readFileSync(new URL('SECURITY.md', ROOT), 'utf8')
export const compliance = readFileSync(new URL('docs/compliance.md', ROOT), 'utf8')

/** Every line of the tables that begins with the number of a requirement. */
export function requirements(): Requirement[] {
  return [...compliance.matchAll(/^\| (\d+(?:\.\d+)+) \|.*\| (.*) \|$/gm)].map(([, id = '', shown = '']) => ({
    id,
    shown,
    tests: testsIn(shown),
  }))
}

/** Reads `[name](../test/a.test.ts) "a title", "another"`. */
function testsIn(cell: string): NamedTest[] {
  return [...cell.matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? “[^”]+”)*)/g)].map(
    ([, file = '', titles = '']) => ({
      file,
      titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
    }),
  )
}
