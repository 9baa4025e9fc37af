import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { reseal, statusOfKeys } from '../../src/cli/table-rows.ts'
import { readConfig } from '../../src/config.ts'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { liveReplicas, makeKeyHolder, noteSealing } from '../../src/tokens/key-holders.ts'
import { rootKeysOf } from '../../src/tokens/root-keys.ts'
import { headerOf, isAlive, refresh, signedInBy } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { jsonLines } from '../helpers/programs/importing.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { newDatabase } from '../helpers/service/database.ts'
import {
  enrol,
  login,
  nextCode,
  register,
  runningClock,
  type Service,
  startService,
} from '../helpers/service/service.ts'

/** SECRET_KEY changes while two replicas serve: who holds which key, and what is said to a replica that lacks one. */

const [OLD, NEW] = [randomBytes(32), randomBytes(32)]
const idOf = (key: Buffer) => makeKeyRing([key]).primary.id
const [oldId, newId] = [idOf(OLD), idOf(NEW)]

const secretKey = (...keys: Buffer[]) => keys.map((key) => key.toString('base64')).join()

/** One person enrols, and another signs in, each with every second request at the other replica. */
async function peopleCome(t: Test, one: Service, other: Service, name: string): Promise<void> {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    const username = `${name}-${here === one ? 'a' : 'b'}`
    const { mfaToken } = await register(here, username)
    const { body } = await there.post('/2fa/setup', {}, mfaToken)
    const code = totp(body.secret, here.clock.now())
    const enrolled = await here.post('/2fa/verify', { code }, mfaToken)
    t.equal(enrolled.status, 200, `${username} enrols`)
    const next = nextCode(here, body)
    const signedIn = await there.post('/2fa/verify', { code: next }, await login(here, username))
    t.equal(signedIn.status, 200, `${username} signs in`)
    t.equal((await here.get('/me', signedIn.body.access_token)).status, 200)
    t.equal((await refresh(there, enrolled.body.refresh_token)).status, 200)
  }
}

t.test('in the order of the guide, no sign-in fails while the key changes', async (t) => {
  const first = await startService(t, { rootKeys: [OLD] })
  const { databaseUrl, clock } = first
  const start = (rootKeys: Buffer[]) => startService(t, { databaseUrl, clock, rootKeys })
  let [one, other] = [first, await start([OLD])]
  const roll = async (name: string, rootKeys: Buffer[]) => {
    await one.close()
    one = await start(rootKeys)
    await peopleCome(t, one, other, `${name}-half`)
    await other.close()
    other = await start(rootKeys)
    await peopleCome(t, one, other, name)
  }
  await roll('given', [OLD, NEW])
  await roll('first', [NEW, OLD])
  const box = makeSecretBox(makeKeyRing([NEW, OLD]))
  await reseal(one.db, box)
  await peopleCome(t, one, other, 'resealed')
  const { keys } = await statusOfKeys(one.db, makeKeyRing([NEW]), clock)
  t.strictSame(
    keys.map(({ id }) => id),
    [newId],
    'nothing is under the old one',
  )
  await roll('dropped', [NEW])
})

t.test('a replica without the right key is told which one it lacks', async (t) => {
  const { db, databaseUrl, clock } = await startService(t, { rootKeys: [OLD] })
  const asked = (...keys: Buffer[]) =>
    rootKeysOf(
      readConfig({
        DATABASE_URL: databaseUrl,
        SECRET_KEY: secretKey(...keys),
      }),
      db,
    )
  await noteSealing(db, oldId, clock)
  t.equal((await asked(NEW, OLD)).length, 2)
  await t.rejects(asked(NEW), new RegExp(`sealed with \\(${oldId}\\), and none that is given ever was`))
  clock.advance(1000)
  await noteSealing(db, newId, clock)
  await t.rejects(asked(NEW), /lacks the old one, which is needed until "keyturn keys reseal" is done/)
  await reseal(db, makeSecretBox(makeKeyRing([NEW, OLD])))
  await t.rejects(asked(OLD), /lacks the new one, which has sealed here since 2026-/)
  await t.rejects(
    asked(randomBytes(32)),
    /none that is given ever was\. It is mistyped or of another environment/,
  )
})

t.test('nothing is resealed while a replica lacks the new key, or seals under the old one', async (t) => {
  const environment = await sharedEnvironment(t)
  const server = await startProcess(t, environment)
  const given = Buffer.from(environment.SECRET_KEY as string, 'base64')
  const db = await openDatabase(environment.DATABASE_URL as string)
  t.teardown(() => db.destroy())
  const before = await db.selectFrom('hash_keys').selectAll().execute()
  const [replica] = await liveReplicas(db, systemClock)
  t.strictSame(replica?.keyIds, [idOf(given)], 'the one that serves has noted its key')
  const SECRET_KEY = `${NEW.toString('base64')},${environment.SECRET_KEY}`
  const resealing = () => keyturnOn({ ...environment, SECRET_KEY })('keys', 'reseal')
  t.match(await resealing(), {
    code: 1,
    stdout: '',
    stderr: /^Nothing is resealed yet\. .* does not hold the key/,
  })
  await server.stop()
  const holder = makeKeyHolder({ db, clock: systemClock, keyRing: makeKeyRing([given, NEW]) })
  await holder.note()
  t.match(await resealing(), { code: 1, stdout: '', stderr: /still seals under another key than/ })
  t.strictSame(await db.selectFrom('hash_keys').selectAll().execute(), before)
  await holder.leave()
  t.strictSame(await liveReplicas(db, systemClock), [])

  await noteSealing(db, newId, systemClock)
  const databaseUrl = environment.DATABASE_URL as string
  const ahead = await startService(t, { databaseUrl, clock: runningClock(), rootKeys: [NEW, given] })
  const { mfaToken } = await register(ahead)
  t.equal((await ahead.post('/2fa/setup', {}, mfaToken)).status, 200)
  t.match(await keyturnOn(environment)('serve'), {
    code: 1,
    stderr: new RegExp(`lacks the new key \\(${newId}\\), which has sealed TOTP secrets here since`),
  })
})

/** A replica that still has the old key, and the command line of an operator who has put the new one first. */
async function halfway(t: Test) {
  const databaseUrl = await newDatabase(t)
  const db = await openDatabase(databaseUrl)
  t.teardown(() => db.destroy())
  const holder = makeKeyHolder({ db, clock: systemClock, keyRing: makeKeyRing([OLD]) })
  await holder.note()
  const keyturn = keyturnOn({ DATABASE_URL: databaseUrl, SECRET_KEY: secretKey(NEW, OLD) })
  return { db, holder, keyturn }
}

t.test(
  'while a replica lacks the new key, no signing key is made and no authenticator imported',
  async (t) => {
    const { db, holder, keyturn } = await halfway(t)
    t.match(await keyturn('keys', 'rotate'), {
      code: 1,
      stdout: '',
      stderr: new RegExp(`^No key is made yet\\. The replica \\S+ does not hold the key ${newId}\\. `),
    })
    t.strictSame(await db.selectFrom('signing_keys').selectAll().execute(), [])

    const hash = `scrypt:32768:8:1$abc$${'0'.repeat(128)}`
    const users = [
      { username: 'ada', password_hash: hash },
      { username: 'grace', password_hash: hash, totp_secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' },
    ]
    const folder = t.testdir({
      'all.jsonl': jsonLines(...users),
      'ada.jsonl': jsonLines(...users.slice(0, 1)),
    })
    const importing = (file: string) => keyturn('import', `${folder}/${file}`, '--apply')
    t.match(await importing('all.jsonl'), {
      code: 1,
      stdout: '',
      stderr: new RegExp(`^Nothing is imported yet\\. .* does not hold the key ${newId}\\. `),
    })
    t.strictSame(await db.selectFrom('accounts').selectAll().execute(), [])
    t.equal((await importing('ada.jsonl')).code, 0, 'a password is not sealed')

    await holder.leave()
    t.equal((await importing('all.jsonl')).code, 0)
    t.equal((await keyturn('keys', 'rotate')).code, 0)
  },
)

t.test(
  'a leaked key is revoked although the one that serves lacks the new key, and it is told to restart',
  async (t) => {
    const environment: Record<string, string> = {
      ...(await sharedEnvironment(t)),
      SECRET_KEY: secretKey(OLD),
    }
    const both = { ...environment, SECRET_KEY: secretKey(NEW, OLD) }
    const server = await startProcess(t, environment)
    const { accessToken, refreshToken } = await enrol(server)
    const leaked = String(headerOf(accessToken).kid)
    const keyturn = keyturnOn(both)
    const db = await openDatabase(environment.DATABASE_URL as string)
    t.teardown(() => db.destroy())
    const [replica] = await liveReplicas(db, systemClock)

    const { code, stdout } = await keyturn('keys', 'revoke', leaked, '--yes')
    t.equal(code, 0)
    t.ok(stdout.includes(`cannot read the key that signs now: ${replica?.instance}. `), stdout)
    t.match(stdout, /Restart them with the SECRET_KEY of this command\./)
    await eventually('the leaked key is forgotten', async () => !(await isAlive(server, accessToken)))
    t.strictSame((await server.get('/.well-known/jwks.json')).body, { keys: [] })
    t.equal((await refresh(server, refreshToken)).status, 503)
    t.match(await server.line('does not open the signing key'), '"level":"error"')
    await server.stop()

    const restarted = await startProcess(t, both)
    const tokens = signedInBy(await refresh(restarted, refreshToken))
    t.ok(await isAlive(restarted, tokens.accessToken))
    const next = String(headerOf(tokens.accessToken).kid)
    t.strictSame((await keyturn.json('keys', 'revoke', next, '--yes')).replicas_lacking, [])
  },
)
