// docs/compliance.md must not claim what nothing has shown: the check of a release sees a test that did not run.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { requirements } from './helpers/documents/security-table.ts'

const SCRIPT = fileURLToPath(new URL('security-table.ts', import.meta.url))

/** What tap would print if each named test had run: by file, with the titles in it. */
function output(): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>()
  for (const { tests } of requirements())
    for (const { file, titles } of tests) files.set(file, new Set([...(files.get(file) ?? []), ...titles]))
  return files
}

/**
 * @param change done to each line.
 * @param indent of a file's line: it has one where the file shared a process with others.
 */
function check(t: Test, change: (line: string) => string = (line) => line, indent = '') {
  const lines = [...output()].flatMap(([file, titles]) => [
    `# Subtest: ${file}`,
    ...[...titles].map(
      (title, index) => `    ok ${index + 1} - ${title.replaceAll('#', '\\#')} # time=1.5ms`,
    ),
    `ok 1 - ${file} # time=99ms`,
  ])
  const path = `${t.testdir()}/run.tap`
  writeFileSync(path, lines.map((line) => `${indent}${change(line)}`).join('\n'))
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, path], { encoding: 'utf8' })
  return { status, missing: stderr.split('\n').filter((line) => /did not run/.test(line)) }
}

t.test('when all ran, it is content', async (t) => {
  for (const indent of ['', '    '])
    t.strictSame(
      check(t, (line) => line, indent),
      { status: 0, missing: [] },
    )
})

t.test('when nothing ran, it is not', async (t) => {
  t.equal(check(t, () => '').status, 1)
})

const TITLE = 'a code that was accepted is refused ever after'
const FILE = 'test/security/replayed-code.test.ts'

for (const [what, change] of Object.entries({
  'that is gone': (line: string) => (line.includes(TITLE) ? '' : line),
  'that was skipped': (line: string) => (line.includes(TITLE) ? `${line} # SKIP` : line),
  'that failed': (line: string) => (line.includes(TITLE) ? line.replace('ok', 'not ok') : line),
}))
  t.test(`it names a test ${what}`, async (t) => {
    for (const indent of ['', '    ']) {
      const { status, missing } = check(t, change, indent)
      t.equal(status, 1)
      t.strictSame(missing, [`docs/compliance.md names a test that did not run and pass: ${FILE}: ${TITLE}`])
    }
  })

t.test('it names a file that was skipped or failed', async (t) => {
  const own = (line: string) => line.startsWith(`ok 1 - ${FILE}`)
  for (const change of [
    (line: string) => (own(line) ? `${line} # SKIP` : line),
    (line: string) => (own(line) ? `not ${line}` : line),
  ])
    t.strictSame(check(t, change).missing, [
      `docs/compliance.md names a test that did not run and pass: ${FILE}`,
    ])
})
