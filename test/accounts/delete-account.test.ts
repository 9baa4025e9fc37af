import { sql } from 'kysely'
import t from 'tap'
import {
  deliver,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  type MailingService,
  mailedToken,
  notices,
  setEmail,
} from '../helpers/people/mail.ts'
import { accountTokenFor, isAlive, refresh, signIn } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { tablesOf } from '../helpers/service/database.ts'
import { enrol, login, startService, wrongCode } from '../helpers/service/service.ts'

/** Every table that has rows of an account, by whatever column names it, with how many there are. */
async function rowsOf({ db }: MailingService, accountId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of await tablesOf(db)) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(db)
    const count = rows.filter((row) => Object.values(row).includes(accountId)).length
    if (count > 0) counts[name] = count
  }
  return counts
}

t.test('everything that belongs to an account goes with it, but for the audit trail', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  const grace = await enrolWithAddress(service, 'grace')
  await signIn(service, ada)
  await mailedToken(service)
  service.clock.advance(60)
  await setEmail(service, ada.accessToken, 'new@example.com')
  await service.post('/2fa/setup', undefined, await accountTokenFor(service, ada.accessToken))
  const mfaToken = await login(service)
  await service.post('/2fa/email', undefined, mfaToken)
  await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken)

  const before = await rowsOf(service, ada.id)
  t.strictSame(Object.keys(before).sort(), [
    'accounts',
    'audit_events',
    'challenges',
    'email_changes',
    'email_codes',
    'failure_counters',
    'mailed_code_factors',
    'own_networks',
    'password_resets',
    'recovery_codes',
    'sessions',
    'totp_factors',
  ])
  const others = await rowsOf(service, grace.id)
  t.equal((await service.delete('/me', await accountTokenFor(service, ada.accessToken))).status, 204)

  t.strictSame(Object.keys(await rowsOf(service, ada.id)), ['audit_events'])
  t.strictSame(await rowsOf(service, grace.id), others, 'nobody else loses anything')
  const { count } = await service.db
    .selectFrom('refresh_tokens')
    .leftJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('sessions.id', 'is', null)
    .executeTakeFirstOrThrow()
  t.equal(count, 0, 'no refresh token is left over')
})

t.test('its tokens are dead at once', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const grace = await enrol(service, 'grace')
  const other = await signIn(service, ada)
  const mfaToken = await login(service)
  const reset = await mailedToken(service)
  t.equal((await service.delete('/me', await accountTokenFor(service, ada.accessToken))).status, 204)

  for (const token of [ada.accessToken, other.accessToken]) {
    t.notOk(await isAlive(service, token))
    const { body } = await service.post('/token/introspect', { token }, grace.accessToken)
    t.strictSame(body, { active: false })
  }
  t.equal(outcomeOf(await refresh(service, other.refreshToken)), '401 invalid_refresh_token')
  isProblem(t, await service.post('/2fa/verify', { code: '000000' }, mfaToken), 'invalid_token')
  const body = { token: reset, new_password: 'staple in a haystack' }
  isProblem(t, await service.post('/password/reset', body), 'invalid_token')
  const login401 = await service.post('/login', { username: 'ada', password: 'correct horse battery' })
  t.equal(outcomeOf(login401), '401 invalid_credentials')
  isProblem(t, await service.delete('/me', ada.accountToken), 'invalid_token')
})

t.test('the username is free again, and who takes it is somebody else', async (t) => {
  const service = await startService(t)
  const before = await enrol(service)
  t.equal((await service.delete('/me', await accountTokenFor(service, before.accessToken))).status, 204)
  const after = await enrol(service)
  t.not(after.id, before.id)
  t.notOk(
    await isAlive(service, before.accessToken),
    'the token of the old account does not open the new one',
  )
  t.equal(outcomeOf(await refresh(service, before.refreshToken)), '401 invalid_refresh_token')
  const recovery = { code: before.recoveryCodes[0], method: 'recovery_code' }
  t.equal(outcomeOf(await service.post('/2fa/verify', recovery, await login(service))), '422 invalid_code')
})

t.test('its owner is told at the address it had', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  await service.delete('/me', await accountTokenFor(service, ada.accessToken))
  const mails = await deliver(service)
  t.strictSame(notices(mails), ['your account was deleted → ada@example.com'])
  t.match(mails[0]?.text, /tell the administrator/)
  t.notMatch(mails[0]?.text, /change your password/, 'there is none any more')
})

t.test('a reset that was asked for before finds nobody', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await service.post('/password/forgot', { username: 'ada' })
  await service.delete('/me', await accountTokenFor(service, ada.accessToken))
  t.strictSame(notices(await deliver(service)), ['your account was deleted → ada@example.com'])
})

t.test('an access token deletes nothing', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  isProblem(t, await service.delete('/me', ada.accessToken), 'insufficient_user_authentication')
  t.ok(await isAlive(service, ada.accessToken))
})
