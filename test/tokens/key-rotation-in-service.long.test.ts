import t from 'tap'
import { type Db, openDatabase } from '../../src/platform/database.ts'
import { REFRESHES_A_MINUTE } from '../../src/tokens/refresh.ts'
import { headerOf, isAlive, refresh } from '../helpers/people/sessions.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { type ServerProcess, sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { tally } from '../helpers/requests/burst.ts'
import { type Answer, enrol } from '../helpers/service/service.ts'

const SECOND = 1000

const keyturn = (
  t: Parameters<typeof runCommand>[0],
  environment: Record<string, string>,
  ...args: string[]
) => runCommand(t, ['src/cli/cli.ts', ...args], environment).ended

const publishedBy = async (server: ServerProcess): Promise<string[]> =>
  (await server.get('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid)

/** A token under a key nobody knows makes a process look for new keys; it does so once in a second. */
async function knock(server: ServerProcess): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1.1 * SECOND))
  const header = Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"unknown"}').toString('base64url')
  await server.get('/me', `${header}.e30.AAAA`)
}

/** Stands for ten minutes that pass: the newest key was made so long ago that it signs now. */
async function letNewestKeySign(db: Db): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set((eb) => ({ created_at: eb('created_at', '-', 601 * SECOND) }))
    .where('generation', '=', (eb) =>
      eb.selectFrom('signing_keys').select((key) => key.fn.max('generation').as('last')),
    )
    .execute()
}

t.test(
  'keyturn keys rotate makes the next key beside a running service, however often at once',
  async (t) => {
    const environment = await sharedEnvironment(t)
    const server = await startProcess(t, environment)
    const [first] = await publishedBy(server)
    const outcomes = await Promise.all([1, 2, 3].map(() => keyturn(t, environment, 'keys', 'rotate')))
    for (const { code, stdout, stderr } of outcomes) {
      t.equal(code, 0, stderr)
      t.match(
        stdout,
        /^The next signing key is [\w-]{43} \(ES256\)\. It is published now and signs in ten minutes\.\n$/,
      )
    }
    t.equal(new Set(outcomes.map(({ stdout }) => stdout)).size, 1, 'all name the same key')

    await knock(server)
    const published = await publishedBy(server)
    t.equal(published.length, 2)
    t.equal(published[0], first)
    const { stdout } = await keyturn(t, environment, 'keys', 'list')
    t.strictSame(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/ made \S+/, '')),
      [`${first}  ES256   signs`, `${published[1]}  ES256   is next`],
    )
  },
)

t.test(
  'keyturn keys revoke: a running service refuses what the key signed, and sessions go on',
  async (t) => {
    const environment = await sharedEnvironment(t)
    const server = await startProcess(t, environment)
    const { accessToken, refreshToken } = await enrol(server)
    const [leaked = ''] = await publishedBy(server)
    const unsure = await keyturn(t, environment, 'keys', 'revoke', leaked)
    t.match(unsure, { code: 2, stderr: /Without a terminal, confirm with --yes/ })
    t.match(await keyturn(t, environment, 'keys', 'revoke', 'nobody', '--yes'), {
      code: 1,
      stderr: /^There is no signing key nobody\. See keyturn keys list\.\n$/,
    })
    t.ok(await isAlive(server, accessToken))

    const { code, stdout, stderr } = await keyturn(t, environment, 'keys', 'revoke', leaked, '--yes')
    t.equal(code, 0, stderr)
    const [, next = ''] = /^The key \S+ is revoked\. ([\w-]{43}) \(ES256\) signs now\./.exec(stdout) ?? []
    while (await isAlive(server, accessToken)) await new Promise((resolve) => setTimeout(resolve, 100))
    t.strictSame(await publishedBy(server), [next])
    const { body } = await refresh(server, refreshToken)
    t.equal(headerOf(body.access_token).kid, next)
    t.ok(await isAlive(server, body.access_token))
  },
)

t.test('no request fails while keys rotate under load, and tokens of the old keys stay good', async (t) => {
  const environment = await sharedEnvironment(t)
  const server = await startProcess(t, environment)
  const db = await openDatabase(environment.DATABASE_URL as string)
  t.teardown(() => db.destroy())
  const answers: Answer[] = []
  const signers = new Set<unknown>()
  let rotating = true

  /** A person who goes on with a session as often as it may be refreshed in a minute, and then with another account. */
  async function client(name: string): Promise<void> {
    const { accessToken: first } = await enrol(server, name)
    for (let round = 1; rotating; round += 1) await useSession(`${name}-${round}`, first)
  }

  /** @param first an access token of long ago, which is used as well. */
  async function useSession(name: string, first: string): Promise<void> {
    const { accessToken, refreshToken } = await enrol(server, name)
    let token = refreshToken
    let access = accessToken
    for (let turn = 0; rotating && turn < REFRESHES_A_MINUTE; turn += 1) {
      const refreshed = await refresh(server, token)
      answers.push(refreshed, await server.get('/me', access), await server.get('/me', first))
      answers.push(await server.post('/token/introspect', { token: first }, first))
      token = refreshed.body.refresh_token ?? token
      access = refreshed.body.access_token ?? access
      signers.add(headerOf(access).kid)
    }
  }

  async function rotateTwice(): Promise<void> {
    for (const round of [1, 2]) {
      const { code, stderr } = await keyturn(t, environment, 'keys', 'rotate')
      t.equal(code, 0, `round ${round}: ${stderr}`)
      await letNewestKeySign(db)
      await knock(server)
      await new Promise((resolve) => setTimeout(resolve, SECOND))
    }
    rotating = false
  }

  await Promise.all([rotateTwice(), ...['ada', 'grace', 'joan', 'mary'].map(client)])
  t.strictSame(tally(answers), { 200: answers.length })
  t.ok(
    answers.every(({ body }) => body.active !== false),
    'every introspected token was live',
  )
  t.comment(`${answers.length} requests`)
  t.equal(signers.size, 3, 'three keys have signed')
  t.equal((await publishedBy(server)).length, 3, 'the old ones are published still')
})
