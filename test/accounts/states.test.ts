// Walks the states of docs/what-ends-what.md: an account is brought into each, and signs in with its right password.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { closeAccount } from '../../src/accounts/close-account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { inBackticks, page, tableRows } from '../helpers/documents/readme.ts'
import { closeAuthenticator, pausePassword } from '../helpers/people/locked-out.ts'
import { deleteAccount } from '../helpers/people/sessions.ts'
import {
  enrol,
  login,
  PASSWORD,
  register,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

const account = async ({ deps }: Service, id: string) => (await deps.accounts.byId(id)) as Account

/** How ada comes to each state. */
const STATES: Record<string, (service: Service) => Promise<unknown>> = {
  new: (service) => register(service),
  'without a second factor': ({ post }) => post('/register', { username: 'ada', password: PASSWORD }),
  enrolled: (service) => enrol(service),
  'needs an enrolment code': async (service) =>
    resetFactors(service.deps, await account(service, (await enrol(service)).id), operatorCaller()),
  'password paused': async (service) => {
    await enrol(service)
    await pausePassword(service)
  },
  'authenticator closed': async (service) => {
    const ada = await enrol(service)
    await closeAuthenticator(service, ada)
    service.clock.advance(1000)
    const code = wrongCode(service, ada)
    const { status, body } = await service.post('/2fa/verify', { code }, await login(service))
    if (`${status} ${body.code}` !== '429 too_many_attempts') throw new Error(JSON.stringify(body))
  },
  'without a password': async (service) => {
    const { id } = await register(service)
    // As an import does it: a hash of a password that no one knows.
    const password_hash = await service.deps.passwords.hash(randomUUID())
    await service.db.updateTable('accounts').set({ password_hash }).where('id', '=', id).execute()
  },
  disabled: async (service) =>
    closeAccount(service.deps, await account(service, (await enrol(service)).id), operatorCaller()),
  deleted: async (service) => deleteAccount(service, (await enrol(service)).id),
}

const [, ...rows] = tableRows(page('what-ends-what'), 'States of an account')

t.test('the table has each state', async (t) => {
  t.strictSame(
    rows.map(([state]) => state),
    Object.keys(STATES),
  )
})

for (const [state = '', , answer] of rows)
  t.test(state, async (t) => {
    const MFA_POLICY = state === 'without a second factor' ? 'optional' : 'required'
    const service = await startService(t, { environment: { MFA_POLICY } })
    await STATES[state]?.(service)
    const { status, body } = await service.post('/login', { username: 'ada', password: PASSWORD })
    const [outcome, ...members] = inBackticks(answer)
    t.equal([status, body.code].join(' ').trim(), outcome)
    for (const member of members) {
      const [name = '', value] = member.split(': ')
      t.equal(JSON.stringify(body[name]), value, member)
    }
  })
