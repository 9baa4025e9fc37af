import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { totpSecretContext } from '../../src/factors/totp/tables.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { failing } from '../helpers/faults/faults.ts'
import { headerOf, isAlive, refresh, signIn } from '../helpers/people/sessions.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { tablesOf } from '../helpers/service/database.ts'
import {
  type Enrolled,
  enrol,
  login,
  nextCode,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const [OLD, NEW] = [randomBytes(32), randomBytes(32)]
const oldId = makeKeyRing([OLD]).primary.id
const newId = makeKeyRing([NEW]).primary.id

/** A service under the old key alone, with an account that has a bit of everything; it is closed again. */
async function lifeUnderTheOldKey(t: Test): Promise<{ service: Service; ada: Enrolled; mfaToken: string }> {
  const service = await startService(t, { rootKeys: [OLD] })
  const ada = await enrol(service)
  const mfaToken = await login(service)
  await service.close()
  return { service, ada, mfaToken }
}

const restart = (t: Test, { databaseUrl, clock }: Service, rootKeys: Buffer[]) =>
  startService(t, { databaseUrl, clock, rootKeys })

function keyturn(t: Test, { databaseUrl }: Service, keys: Buffer[], ...args: string[]) {
  const secretKey = keys.map((key) => key.toString('base64')).join(',')
  const environment = { DATABASE_URL: databaseUrl, SECRET_KEY: secretKey }
  return runCommand(t, ['src/cli/cli.ts', ...args], environment).ended
}

/** What a start under one key says before it ends; that it is ready, if it does not end. */
function startProcess(t: Test, { databaseUrl }: Service, key: Buffer) {
  const environment = {
    DATABASE_URL: databaseUrl,
    SECRET_KEY: key.toString('base64'),
    PORT: '0',
  }
  const { ended, line } = runCommand(t, ['src/cli/keyturn.js', 'serve'], environment)
  const ready = line('"msg":"ready"').then((stdout) => ({ code: null, stdout, stderr: '' }))
  ready.catch(() => {})
  return Promise.race([ended, ready])
}

/** How many values of the whole database were sealed under a key. */
async function sealedUnder({ db }: Service, keyId: string): Promise<number> {
  let count = 0
  for (const name of await tablesOf(db)) {
    const { rows } = await sql<object>`select * from ${sql.table(name)}`.execute(db)
    const values = rows.flatMap((row) => Object.values(row)).map(String)
    count += values.filter((value) => value.startsWith(`${keyId}.`)).length
  }
  return count
}

/** Everything that was made before the keys changed is as good as it was. */
async function stillGood(t: Test, service: Service, ada: Enrolled): Promise<void> {
  t.ok(await isAlive(service, ada.accessToken), 'the access token')
  t.equal((await refresh(service, ada.refreshToken)).status, 200, 'the refresh token')
  t.ok((await signIn(service, ada)).accessToken, 'the authenticator')
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', answer, await login(service))).status, 200, 'a recovery code')
}

t.test('under SECRET_KEY="new,old" all opens, and what is new is sealed under the new key', async (t) => {
  const { service: before, ada, mfaToken } = await lifeUnderTheOldKey(t)
  const service = await restart(t, before, [NEW, OLD])
  t.equal((await service.post('/2fa/verify', { code: nextCode(service, ada) }, mfaToken)).status, 200)
  await stillGood(t, service, ada)

  t.equal(await sealedUnder(service, newId), 0)
  const old = await sealedUnder(service, oldId)
  await enrol(service, 'grace')
  t.equal(await sealedUnder(service, newId), 1, 'an authenticator')
  await service.deps.signingKeys.rotate()
  t.equal(await sealedUnder(service, newId), 2, 'a signing key')
  t.equal(await sealedUnder(service, oldId), old)
  t.not(headerOf(await login(service)).kid, headerOf(mfaToken).kid, 'mfa tokens are of the new key')
})

t.test('without resealing, a start under the new key alone is refused in a plain sentence', async (t) => {
  const { service } = await lifeUnderTheOldKey(t)
  const { code, stdout, stderr } = await startProcess(t, service, NEW)
  t.equal(code, 1)
  t.match(
    stderr,
    /^SECRET_KEY is not the key this database was sealed with .*the old one is missing after a comma/,
  )
  t.equal(stderr.trimEnd().split('\n').length, 1)
  t.notMatch(stdout, /ready/)
})

t.test('after keys reseal the new key alone is enough', async (t) => {
  const { service: before, ada } = await lifeUnderTheOldKey(t)
  const both = [NEW, OLD]
  const first = await keyturn(t, before, both, 'keys', 'reseal')
  t.equal(first.code, 0, first.stderr)
  t.match(first.stdout, /signing keys: 1 sealed again/)
  t.match(first.stdout, /hash keys: 1 sealed again/)
  t.match(first.stdout, /TOTP secrets: 1 sealed again/)

  const second = await keyturn(t, before, both, 'keys', 'reseal')
  t.equal(second.code, 0, second.stderr)
  const counts = second.stdout.trim().split('\n')
  t.ok(counts.length >= 3 && counts.every((line) => line.endsWith(': 0 sealed again')), second.stdout)

  const service = await restart(t, before, [NEW])
  t.equal(await sealedUnder(service, oldId), 0)
  await stillGood(t, service, ada)
})

t.test('resealing goes on beside a running service and through many rows', async (t) => {
  const { service: before, ada } = await lifeUnderTheOldKey(t)
  const service = await restart(t, before, [NEW, OLD])
  const factor = await service.db.selectFrom('totp_factors').selectAll().executeTakeFirstOrThrow()
  const account = await service.db.selectFrom('accounts').selectAll().executeTakeFirstOrThrow()
  const oldBox = makeSecretBox(makeKeyRing([OLD]))
  const names = Array.from({ length: 1200 }, (_, index) => `account-${index}`)
  await inTransaction(service.db, async (trx) => {
    for (const id of names) {
      await trx
        .insertInto('accounts')
        .values({ ...account, id, username: id, username_key: id })
        .execute()
      const sealed = oldBox.seal(Buffer.from(id), totpSecretContext(id, id))
      await trx
        .insertInto('totp_factors')
        .values({ ...factor, id, account_id: id, sealed_secret: sealed })
        .execute()
    }
  })

  const resealing = keyturn(t, service, [NEW, OLD], 'keys', 'reseal')
  await stillGood(t, service, ada)
  const { code, stdout, stderr } = await resealing
  t.equal(code, 0, stderr)
  t.match(stdout, /TOTP secrets: 1201 sealed again/)
  t.equal(await sealedUnder(service, oldId), 0)
  const { sealed_secret } = await service.db
    .selectFrom('totp_factors')
    .selectAll()
    .where('id', '=', 'account-1199')
    .executeTakeFirstOrThrow()
  t.equal(
    service.deps.box.open(sealed_secret, totpSecretContext('account-1199', 'account-1199')).toString(),
    'account-1199',
  )
})

for (const table of ['totp_factors', 'hash_keys'] as const)
  t.test(`a resealing that broke off at ${table} does not let go of the old key`, async (t) => {
    const { service: before, ada } = await lifeUnderTheOldKey(t)
    const service = await restart(t, before, [NEW, OLD])
    const reseal = () => keyturn(t, service, [NEW, OLD], 'keys', 'reseal')
    t.equal((await failing(service, ['update', table], reseal)).code, 1)
    await service.close()
    const { code, stderr } = await startProcess(t, service, NEW)
    t.equal(code, 1)
    t.match(stderr, /^SECRET_KEY is not the key/)

    t.equal((await reseal()).code, 0, 'it is taken up again')
    await stillGood(t, await restart(t, before, [NEW]), ada)
  })

t.test('a command without the key that sealed says so and changes nothing', async (t) => {
  const { service: before, ada } = await lifeUnderTheOldKey(t)
  const commands = ['reseal', 'rotate'].map((name) => keyturn(t, before, [NEW], 'keys', name))
  for (const { code, stdout, stderr } of await Promise.all(commands)) {
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(
      stderr,
      /^SECRET_KEY is not the key this database was sealed with \([0-9a-f]{8}\), and none that is given ever was/,
    )
    t.notMatch(stderr, /\n +at /)
  }
  const service = await restart(t, before, [OLD])
  t.equal(outcomeOf(await service.get('/me', ada.accessToken)), '200')
  t.equal(await sealedUnder(service, newId), 0)
})
