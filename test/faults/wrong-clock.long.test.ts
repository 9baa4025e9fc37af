// The fault: the clock of the machine is an hour ahead, and right again later. People who signed in at that time sign in with the
// codes of their authenticators as before, and the doctor says what happened.
import { globSync } from 'node:fs'
import t from 'tap'
import { Person } from '../helpers/people/person.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'

const HOUR_MS = 3_600_000
/** Not by the command of that name, which keeps signals from what it starts. */
const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1')

t.test(
  'after a clock that was an hour ahead everybody signs in, and the doctor says so',
  { skip: library ? false : 'NOT TESTED: no faketime (Debian: faketime)' },
  async (t) => {
    const environment = await sharedEnvironment(t)
    const ahead = await startProcess(t, {
      ...environment,
      LD_PRELOAD: library ?? '',
      FAKETIME: '+1h',
    })
    const clock = { now: () => Date.now() + HOUR_MS }
    const ada = new Person({ ...ahead, clock })
    t.equal(outcomeOf(await ada.register()), '201')
    t.equal(outcomeOf(await ada.setUp()), '200')
    t.equal(outcomeOf(await ada.confirm()), '200')
    const { secret } = ada
    await ahead.stop()

    const right = await startProcess(t, environment)
    const later = new Person(right)
    later.secret = secret
    t.equal(outcomeOf(await later.logIn()), '200')
    t.equal(outcomeOf(await later.verify()), '200', 'with the code of now')
    t.match(
      (await keyturnOn(environment)('doctor')).stdout,
      /^fail {2}clock .*still to come: the clock was set/m,
    )
  },
)
