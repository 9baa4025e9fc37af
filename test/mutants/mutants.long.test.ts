// A test that cannot fail shows nothing: each promise of SECURITY.md is broken in a copy of the product, and the test
// that shows it must go red.
import t from 'tap'
import { postgresPrograms } from '../helpers/programs/postgres.ts'
import { makeCopy } from './apply.ts'
import { MUTANTS } from './mutants.ts'

t.setTimeout(3_600_000)

const copy = makeCopy()
t.teardown(() => copy.remove())

for (const mutant of MUTANTS) {
  const skip = mutant.engine === 'postgres' && !postgresPrograms() && 'PostgreSQL is not installed'
  t.test(mutant.breaks, { skip }, async (t) => {
    t.equal(await copy.survives(mutant), undefined, `“${mutant.title}” in ${mutant.test} fails`)
  })
}
