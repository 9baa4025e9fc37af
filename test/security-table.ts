/**
 * Given the TAP output of the test runs (files, one after the other), fails if a test that SECURITY.md names is
 * not among those that ran and passed: a test that is skipped, left out or renamed shows nothing.
 */
import { readFileSync } from 'node:fs'
import { requirements } from './helpers/security-table.ts'

/** Of a file, or four blanks in of a test in it; what is skipped or to be done is neither. */
const PASSED = /^( {4})?ok \d+ - (?!.* # (?:SKIP|TODO))(.*?)(?: # time=.*)?$|^not ok/gm

/** As tap prints titles. */
const inTap = (title: string) => title.replaceAll('\\', '\\\\').replaceAll('#', '\\#')

/** The titles that passed, by their file; tap prints a file's own line after those of its tests. */
function passed(tap: string): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>()
  let titles = new Set<string>()
  for (const [, indent = '', name = ''] of tap.matchAll(PASSED)) {
    if (indent) titles.add(name)
    else {
      if (name) files.set(name, titles)
      titles = new Set()
    }
  }
  return files
}

const ran = passed(
  process.argv
    .slice(2)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n'),
)
const named = requirements().flatMap(({ tests }) => tests)
const missing = new Set<string>()
for (const { file, titles } of named) {
  const found = ran.get(file)
  if (!found) missing.add(file)
  else for (const title of titles) if (!found.has(inTap(title))) missing.add(`${file}: ${title}`)
}

for (const name of missing) console.error(`SECURITY.md names a test that did not run and pass: ${name}`)
console.log(
  `SECURITY.md names ${new Set(named.map(({ file }) => file)).size} test files, ${missing.size} tests did not run.`,
)
process.exitCode = missing.size === 0 && named.length > 0 ? 0 : 1
