import t, { type Test } from 'tap'
import { keyturnOn } from '../helpers/programs/keyturn.ts'

/** Whoever asks for help gets it, with an example to go by, and touches nothing. */

const keyturn = keyturnOn({ DATABASE_URL: `sqlite:${t.testdirName}/none.db` })

async function checkHelp(t: Test, ...path: string[]): Promise<void> {
  const typed = ['keyturn', ...path].join(' ')
  const { code, stdout, stderr } = await keyturn(...path, '--help')
  t.strictSame([code, stderr], [0, ''], typed)
  t.match(stdout, new RegExp(`^Usage: ${typed} .*\\n\\n\\S`), 'what it is for')
  const wide = stdout.split('\n').filter((line) => line.length > 80)
  t.strictSame(wide, [], `${typed}, on a terminal of 80 columns`)
  const [, list] = stdout.split('\nCommands:\n')
  if (list === undefined) {
    t.match(stdout, /\nExamples?\b.*:\n {2}.*\bkeyturn /, `${typed}, by an example`)
    t.match(stdout, /^ {2}--json /m, 'and what goes with every command')
    return
  }
  const names = [...(list.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z]\S*)/gm)].map(([, name]) => name)
  await Promise.all(names.map((name = 'help') => name !== 'help' && checkHelp(t, ...path, name)))
}

t.test('every command has help with an example', (t) => checkHelp(t))
