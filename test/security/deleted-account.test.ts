// The attack: a person has deleted the account, and later a thief gets a copy of the database file. The whole file is
// searched for name, addresses and network: rows, indexes, free space and write-ahead log.

import type { KyselyPlugin } from 'kysely'
import t, { type Test } from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { renameAccount } from '../../src/accounts/rename.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { deliver, latestCode, type MailingService, setEmail } from '../helpers/people/mail.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { storedBytes } from '../helpers/service/database.ts'
import { enrol, PASSWORD, type Service, startService } from '../helpers/service/service.ts'

const DAY = 24 * 3600

const NAME = 'Wilhelmina.Traces'
const FORMER_NAME = 'Mina.Traces'
const OLD_ADDRESS = 'w.traces@first.example'
const NEW_ADDRESS = 'w.traces@second.example'
const PENDING_ADDRESS = 'w.traces@third.example'
const PERSON = [NAME, FORMER_NAME, OLD_ADDRESS, NEW_ADDRESS, PENDING_ADDRESS]
const PLACES = ['203.0.113.77', '2001:db8:77:77::9']
const AGENT = 'TracesBrowser/7.7'
const NETWORK = [...PLACES, AGENT]

/** Which of these texts are in the database, in any case. */
async function found(service: Service, texts: readonly string[]): Promise<string[]> {
  const stored = (await storedBytes(service)).toString('latin1').toLowerCase()
  return texts.filter((text) => stored.includes(text.toLowerCase()))
}

/** What a person does, from two places, until the day on which the account is deleted. @returns a fresh token. */
async function liveALife(t: Test, service: MailingService): Promise<{ id: string; accessToken: string }> {
  const { clock } = service
  let place = 0
  const post = async (url: string, body?: object, token?: string) => {
    place += 1
    const from = { remoteAddress: PLACES[place % PLACES.length] as string, headers: { 'user-agent': AGENT } }
    return service.post(url, body, token, from)
  }
  const registration = { username: NAME, password: PASSWORD, email: OLD_ADDRESS }
  const { user, mfa_token } = (await post('/register', registration)).body
  const { secret } = (await post('/2fa/setup', undefined, mfa_token)).body
  const code = () => ({ code: totp(secret, clock.now()) })
  const enrolled = (await post('/2fa/verify', code(), mfa_token)).body
  for (const address of [OLD_ADDRESS, NEW_ADDRESS]) {
    clock.advance(60)
    await setEmail(service, enrolled.access_token, address)
    await post('/me/email/verify', { code: latestCode(service.smtp) }, enrolled.access_token)
  }
  for (const username of [NAME, NAME.toUpperCase()])
    await post('/login', { username, password: 'not this one' })
  await post('/password/forgot', { username: NAME })
  await deliver(service)
  await post('/token/refresh', { refresh_token: enrolled.refresh_token })
  clock.advance(60)
  const again = (await post('/login', { username: NAME, password: PASSWORD })).body
  await post('/2fa/email', undefined, again.mfa_token)
  await post('/2fa/verify', { code: '000000' }, again.mfa_token)
  const { access_token } = (await post('/2fa/verify', code(), again.mfa_token)).body
  t.equal((await setEmail(service, access_token, PENDING_ADDRESS)).status, 202)
  await deliver(service)
  return { id: user.id, accessToken: access_token }
}

t.test(
  'of a deleted account the database holds neither name nor addresses, and after 30 days no network',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { deps, clock, db } = service
    // So that its rows lie between the rows of others.
    for (const username of ['ada', 'grace', 'alan']) await enrol(service, username)
    const { id, accessToken } = await liveALife(t, service)
    await renameAccount(deps, (await deps.accounts.byId(id)) as Account, FORMER_NAME, operatorCaller())
    await renameAccount(deps, (await deps.accounts.byId(id)) as Account, NAME, operatorCaller())
    for (const username of ['edsger', 'joan', 'mary']) await enrol(service, username)
    const there = [NAME, FORMER_NAME, NEW_ADDRESS, PENDING_ADDRESS, ...NETWORK]
    t.strictSame(await found(service, there), there, 'what is there can be found')

    const from = { remoteAddress: PLACES[0] as string, headers: { 'user-agent': AGENT } }
    t.equal((await service.delete('/me', await accountTokenFor(service, accessToken), from)).status, 204)
    await deliver(service)
    await cleanUp(deps)
    t.strictSame(await found(service, PERSON), [])
    t.strictSame(await found(service, NETWORK), NETWORK, 'its events say from where')
    const events = () => db.selectFrom('audit_events').selectAll().where('account_id', '=', id).execute()
    const before = await events()

    clock.advance(30 * DAY - 1)
    await cleanUp(deps)
    t.strictSame(await found(service, NETWORK), NETWORK)
    clock.advance(1)
    await cleanUp(deps)
    t.strictSame(await found(service, [...PERSON, ...NETWORK]), [])
    const kept = before.filter(({ event }) => event !== 'token_refreshed')
    t.strictSame(
      await events(),
      kept.map((event) => ({ ...event, ip: '', user_agent: '' })),
      'what happened, and when, stays',
    )
    const others = await db.selectFrom('audit_events').select('ip').where('account_id', '!=', id).execute()
    t.ok(others.length > 0 && others.every(({ ip }) => ip !== ''), 'of others nothing is lost')

    clock.advance(335 * DAY)
    await cleanUp(deps)
    t.strictSame(await found(service, [id]), [], 'after a year not even its id is left')
  },
)

t.test('of an account that expired, its events lose the network 30 days after', async (t) => {
  const service = await startService(t, { environment: { UNENROLLED_DAYS: '2' } })
  const { deps, clock, db } = service
  const from = { remoteAddress: PLACES[0] as string, headers: { 'user-agent': AGENT } }
  const { body } = await service.post('/register', { username: NAME, password: PASSWORD }, undefined, from)
  await service.post('/login', { username: NAME, password: 'not this one' }, undefined, from)
  const events = () =>
    db.selectFrom('audit_events').selectAll().where('account_id', '=', body.user.id).execute()
  clock.advance(2 * DAY)
  t.match(await cleanUp(deps), { accounts: 1 })
  const before = await events()
  t.strictSame(
    before.map(({ event }) => event),
    ['account_registered', 'password_refused', 'account_expired'],
  )

  clock.advance(30 * DAY - 1)
  await cleanUp(deps)
  t.strictSame(await events(), before)
  clock.advance(1)
  await cleanUp(deps)
  t.strictSame(
    await events(),
    before.map((event) => ({ ...event, ip: '', user_agent: '' })),
  )
})

/** Events of an account that was deleted 31 days ago. The deletion is the first one, as where clocks of two processes differ. */
async function addEvents({ db, clock }: Service, accountId: string, count: number): Promise<void> {
  const at = clock.now() - 31 * DAY * 1000
  const row = { at, outcome: 'success' as const, actor: 'client' as const, method: null, session_id: null }
  const rows = Array.from({ length: count }, (_, index) => ({
    ...row,
    id: `${accountId}-${String(index).padStart(6, '0')}`,
    event: index === 0 ? ('account_deleted' as const) : ('session_started' as const),
    account_id: accountId,
    ip: '203.0.113.77',
    user_agent: AGENT,
    request_id: 'x',
  }))
  await inTransaction(db, async (trx) => {
    for (let from = 0; from < rows.length; from += 100)
      await trx
        .insertInto('audit_events')
        .values(rows.slice(from, from + 100))
        .execute()
  })
}

/** Does something once a statement has written many rows. */
const afterFirstBatch = (deed: () => void): KyselyPlugin => ({
  transformQuery: ({ node }) => node,
  async transformResult({ result }) {
    if ((result.numAffectedRows ?? 0n) > 3n) deed()
    return result
  },
})

const namedIn = async ({ db }: Service) =>
  (await db.selectFrom('audit_events').select('id').where('user_agent', '=', AGENT).execute()).length

t.test(
  'the events of a deleted account lose it in small batches, and after an interruption the rest do',
  async (t) => {
    const service = await startService(t)
    await addEvents(service, 'gone', 1000)
    await addEvents(service, 'gone too', 3)
    const ending = new AbortController()
    const db = service.deps.db.withPlugin(afterFirstBatch(() => ending.abort()))
    await cleanUp({ ...service.deps, db }, ending.signal)
    const left = await namedIn(service)
    t.ok(left > 400 && left < 1003, `${left} are left`)
    await cleanUp(service.deps)
    t.equal(await namedIn(service), 0)
  },
)

t.test('an account that came back under its id keeps its events whole', async (t) => {
  const service = await startService(t)
  const { id } = await enrol(service)
  await addEvents(service, id, 3)
  await addEvents(service, 'gone', 3)
  await cleanUp(service.deps)
  t.equal(await namedIn(service), 3)
})
