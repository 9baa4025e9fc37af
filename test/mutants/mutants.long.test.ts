// A test that cannot fail shows nothing: each promise of SECURITY.md is broken in a copy of the product, and the test
// that shows it must go red.
import t from 'tap'
import { postgresPrograms } from '../helpers/programs/postgres.ts'
import { makeCopy } from './apply.ts'
import { MUTANTS } from './mutants.ts'

t.setTimeout(3_600_000)

/** Each breaks one at a time: the longest file of all would keep one core waiting. */
const copies = [makeCopy(), makeCopy()]
t.teardown(() => {
  for (const copy of copies) copy.remove()
})

t.jobs = copies.length
for (const mutant of MUTANTS) {
  const skip = mutant.engine === 'postgres' && !postgresPrograms() && 'PostgreSQL is not installed'
  t.test(mutant.breaks, { skip, buffered: true }, async (t) => {
    const copy = copies.pop()
    if (!copy) throw new Error('There are as many copies as tests at a time')
    const survived = await copy.survives(mutant).finally(() => copies.push(copy))
    t.equal(survived, undefined, `“${mutant.title}” in ${mutant.test} fails`)
  })
}
