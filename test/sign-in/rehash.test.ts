import { hash } from '@node-rs/bcrypt'
import t, { type Test } from 'tap'
import { QueueFullError } from '../../src/crypto/hash-queue.ts'
import { ConnectionError } from '../../src/platform/database-errors.ts'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { login } from '../../src/sign-in/login.ts'
import { holdWriteLock } from '../helpers/faults/write-lock.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/** When the cost of a hash is raised, the accounts follow as their people sign in, and nobody notices. */

const signIn = (service: Service, password = PASSWORD) =>
  service.post('/login', { username: 'ada', password })

async function storedHash({ db }: Service): Promise<string> {
  return (await db.selectFrom('accounts').select('password_hash').executeTakeFirstOrThrow()).password_hash
}

/** The same database, served by a process with a higher cost. */
async function raiseCost(t: Test, environment: Record<string, string> = {}) {
  const before = await startService(t)
  await register(before)
  const after = await startService(t, {
    databaseUrl: before.databaseUrl,
    environment: { ARGON2_MEMORY_KIB: '64', ARGON2_TIME: '2', ...environment },
  })
  return { before, after }
}

t.test('the next login replaces the hash by one at the new cost', async (t) => {
  const { before, after } = await raiseCost(t)
  const old = await storedHash(before)
  t.match(old, '$m=8,t=1,p=1$')
  t.equal((await signIn(after)).status, 200)
  const renewed = await storedHash(after)
  t.match(renewed, '$m=64,t=2,p=1$')
  t.equal((await signIn(after)).status, 200, 'it matches the same password')
  t.equal(await storedHash(after), renewed, 'and stays as it is from then on')
})

t.test('an imported password that is longer than a new one may be signs in', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  await register(service)
  const long = 'x'.repeat(1023)
  await service.db
    .updateTable('accounts')
    .set({ password_hash: await service.deps.passwords.hash(`${long}y`) })
    .execute()
  isProblem(t, await signIn(service, `${long}z`), 'invalid_credentials')
  const signedIn = await signIn(service, `${long}y`)
  t.equal(signedIn.status, 200)
  const change = { current_password: `${long}y`, new_password: 'staple in a haystack' }
  t.equal((await service.post('/password/change', change, signedIn.body.account_token)).status, 200)
  isProblem(t, await signIn(service, `${long}yy`), 'validation_failed', 'one has 1,024 characters at most')
})

t.test('a wrong password replaces nothing', async (t) => {
  const { before, after } = await raiseCost(t)
  const old = await storedHash(before)
  isProblem(t, await signIn(after, 'wrong password'), 'invalid_credentials')
  t.equal(await storedHash(after), old)
})

t.test('bcrypt is kept for a long password, since it does not look at the end of one', async (t) => {
  const service = await startService(t)
  await register(service)
  const long = 'a'.repeat(72)
  const bcrypt = await hash(long, 4)
  await service.db.updateTable('accounts').set({ password_hash: bcrypt }).execute()
  t.equal((await signIn(service, `${long} mistyped`)).status, 200)
  t.equal(await storedHash(service), bcrypt)
  t.equal((await signIn(service, `${long} as it should be`)).status, 200, 'the owner is not shut out')
  t.equal((await signIn(service, long)).status, 200)
  t.match(await storedHash(service), /^\$argon2id\$/, 'of 72 bytes bcrypt has seen each')
})

t.test('a login and its rehash do not look like a change of the password', async (t) => {
  const { before, after } = await raiseCost(t)
  const setAt = () => before.db.selectFrom('accounts').select('password_set_at').executeTakeFirstOrThrow()
  const at = await setAt()
  after.clock.advance(60)
  const { body } = await signIn(after)
  t.strictSame(await setAt(), at)
  t.equal((await after.post('/2fa/setup', undefined, body.mfa_token)).status, 200, 'the mfa token is good')
})

t.test('many logins at once all succeed, and leave one hash at the new cost', async (t) => {
  const { after } = await raiseCost(t)
  const answers = await Promise.all(Array.from({ length: 10 }, () => signIn(after)))
  t.strictSame(
    answers.map(({ status }) => status),
    Array(10).fill(200),
  )
  t.match(await storedHash(after), '$m=64,t=2,p=1$')
  t.equal((await signIn(after)).status, 200)
})

t.test('a rehash that finds the hash queue full waits for another day: the login goes on', async (t) => {
  const { before, after } = await raiseCost(t)
  const old = await storedHash(before)
  const { deps } = after
  const hash = () => Promise.reject(new QueueFullError(1))
  const room = { ...deps, passwords: { ...deps.passwords, hash } }
  const client = { by: 'person' as const, ip: '192.0.2.1', userAgent: '', requestId: 'x' }
  t.match(await login(room, { username: 'ada', password: PASSWORD }, client), { enrolled: false })
  t.equal(await storedHash(after), old)
  t.equal((await signIn(after)).status, 200)
  t.not(await storedHash(after), old, 'the next one does it')
})

t.test('a rehash that the database refuses waits for another day too', async (t) => {
  const { before, after } = await raiseCost(t)
  const old = await storedHash(before)
  const { deps } = after
  const replacePasswordHash = () => Promise.reject(new ConnectionError('lost'))
  const room = { ...deps, accounts: { ...deps.accounts, replacePasswordHash } }
  const client = { by: 'person' as const, ip: '192.0.2.1', userAgent: '', requestId: 'x' }
  t.match(await login(room, { username: 'ada', password: PASSWORD }, client), { enrolled: false })
  t.equal(await storedHash(after), old)
})

// The lock of a whole file is one of SQLite.
if (!onPostgres)
  t.test('a rehash that cannot be written does not fail the login', async (t) => {
    const { after } = await raiseCost(t)
    const { release, released } = await holdWriteLock(t, sqlitePath(after.databaseUrl), 300)
    t.equal((await signIn(after)).status, 200)
    release()
    await released
  })
