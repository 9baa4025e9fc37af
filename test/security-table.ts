/**
 * Given the TAP output of the test runs (files, one after the other), fails if a test that docs/compliance.md names is
 * not among those that ran and passed: a test that is skipped, left out or renamed shows nothing.
 */
import { readFileSync } from 'node:fs'
import { requirements } from './helpers/documents/security-table.ts'

/** A file or, four blanks further in, a test in it; what is skipped or to be done is neither. */
const PASSED =
  /^ *ok \d+ - (?!.* # (?:SKIP|TODO))(.*?)(?: # time=.*)?$|^ *not ok \d+ - (test\/\S+\.test\.ts)/gm

/** As tap prints titles. */
const inTap = (title: string) => title.replaceAll('\\', '\\\\').replaceAll('#', '\\#')

/** The titles that passed, by their file; tap prints a file's own line after those of its tests. */
function passed(tap: string): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>()
  const titles = new Map<number, Set<string>>()
  for (const [line, name = '', failed] of tap.matchAll(PASSED)) {
    const indent = line.search(/\S/)
    if (failed === undefined && !/^test\/\S+\.test\.ts$/.test(name)) {
      titles.set(indent, (titles.get(indent) ?? new Set()).add(name))
      continue
    }
    if (name) files.set(name, titles.get(indent + 4) ?? new Set())
    titles.clear()
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

for (const name of missing)
  console.error(`docs/compliance.md names a test that did not run and pass: ${name}`)
console.log(
  `docs/compliance.md names ${new Set(named.map(({ file }) => file)).size} test files, ${missing.size} tests did not run.`,
)
process.exitCode = missing.size === 0 && named.length > 0 ? 0 : 1
