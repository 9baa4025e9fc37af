// The fault: the power goes. A kill cannot show what is lost then, since the system keeps what was written; so the calls
// of the system are counted. What was answered must have been synced to the disk before the answer went out.
import t from 'tap'
import { strace, trace } from '../helpers/faults/strace.ts'
import { latestCode, mailing } from '../helpers/people/mail.ts'
import { totp } from '../helpers/people/totp.ts'
import { type ServerProcess, sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { type MailServer, startMailServer } from '../helpers/programs/smtp.ts'
import { type Answer, enrol, login, PASSWORD } from '../helpers/service/service.ts'

/** For each change of state, by what it is: how many transactions of it must be on the disk before its answer. */
const SYNCS: Record<string, number> = {
  'POST /register': 1,
  'POST /2fa/setup': 1,
  'POST /2fa/verify': 1,
  // The try is counted before it is evaluated.
  'POST /login': 2,
  'POST /login wrong': 2,
  'POST /2fa/verify wrong': 1,
  'POST /2fa/step-up': 1,
  // For the session and for the password, before either is looked at; what came of the password; and of the code.
  'POST /2fa/step-up with the password': 4,
  'POST /2fa/setup/confirm': 1,
  'POST /2fa/recovery-codes': 1,
  'POST /2fa/email': 1,
  'PUT /me/email': 1,
  'POST /me/email/verify': 1,
  'POST /token/refresh': 1,
  'POST /password/change': 3,
  'POST /password/forgot': 1,
  'DELETE /sessions': 1,
  'POST /logout': 1,
  'DELETE /me': 1,
}

t.test('what is answered is on the disk', { skip: !strace && 'strace is not installed' }, async (t) => {
  const { under, answers } = trace(t)
  const smtp = await startMailServer(t)
  const environment = { ...(await sharedEnvironment(t)), ...mailing(smtp), EMAIL_CODES: 'on' }
  const server = noting(await startProcess(t, environment, { under }))
  await changeEverything(server, smtp)
  await server.stop()

  // Before the first of them it was asked whether it is ready.
  const traced = (await answers()).slice(-server.noted.length)
  t.equal(traced.length, server.noted.length)
  const seen = new Set<string>()
  for (const [index, { calls, status }] of traced.entries()) {
    const { name, answer } = server.noted[index] ?? {}
    t.equal(status, answer?.status, `${name} is the answer that was traced`)
    if (!name || !(name in SYNCS)) continue
    seen.add(name)
    t.equal(calls.at(-1), 'sync', `${name}: nothing was written after the last sync`)
    const syncs = calls.filter((call) => call === 'sync').length
    t.ok(syncs >= (SYNCS[name] ?? 0), `${name}: ${syncs} of ${SYNCS[name]} syncs`)
  }
  t.strictSame([...seen].sort(), Object.keys(SYNCS).sort())
})

type Noting = ServerProcess & { noted: { name: string; answer: Answer }[] }

/** Notes each request that is sent, in order: there is one at a time. */
function noting(server: ServerProcess): Noting {
  const noted: Noting['noted'] = []
  const note = async (name: string, sending: Promise<Answer>) => {
    const answer = await sending
    noted.push({ name: answer.status < 400 ? name : `${name} wrong`, answer })
    return answer
  }
  return {
    ...server,
    noted,
    get: (path, ...rest) => note(`GET ${path}`, server.get(path, ...rest)),
    post: (path, ...rest) => {
      const { password } = (rest[0] ?? {}) as { password?: string }
      const more = path === '/2fa/step-up' && password ? ' with the password' : ''
      return note(`POST ${path}${more}`, server.post(path, ...rest))
    },
    put: (path, ...rest) => note(`PUT ${path}`, server.put(path, ...rest)),
    delete: (path, ...rest) => note(`DELETE ${path}`, server.delete(path, ...rest)),
  }
}

async function changeEverything(server: ServerProcess, smtp: MailServer): Promise<void> {
  const ada = await enrol(server)
  const codes = ada.recoveryCodes.values()
  const recovery = () => ({ code: codes.next().value, method: 'recovery_code' })
  let password = PASSWORD
  await server.post('/login', { username: 'ada', password: 'not her password' })
  const mfaToken = await login(server)
  await server.post('/2fa/verify', { code: 'wrong', method: 'recovery_code' }, mfaToken)
  const signedIn = (await server.post('/2fa/verify', recovery(), mfaToken)).body
  let token = signedIn.access_token
  const accountToken = async () =>
    (await server.post('/2fa/step-up', { ...recovery(), password }, token)).body.account_token

  await server.post('/2fa/step-up', recovery(), token)
  await server.post('/token/refresh', { refresh_token: ada.refreshToken })
  const setup = await server.post('/2fa/setup', undefined, signedIn.account_token)
  const code = totp(setup.body.secret, Date.now())
  const confirmed = await server.post('/2fa/setup/confirm', { code }, signedIn.account_token)
  token = confirmed.body.access_token
  await server.put('/me/email', { email: 'ada@example.com' }, await accountToken())
  await server.post('/me/email/verify', { code: latestCode(smtp) }, token)
  await server.put('/2fa/email', { enabled: true }, await accountToken())
  await server.post('/2fa/email', undefined, await login(server))
  await server.post('/password/forgot', { username: 'ada' })
  const passwords = { current_password: PASSWORD, new_password: 'staple in a haystack' }
  const changed = await server.post('/password/change', passwords, await accountToken())
  token = changed.body.access_token
  password = passwords.new_password
  await server.post('/2fa/verify', recovery(), await login(server, 'ada', password))
  await server.post('/2fa/recovery-codes', undefined, await accountToken())
  await server.delete('/sessions', token)
  await server.post('/logout', undefined, token)

  const grace = await enrol(server, 'grace')
  await server.delete('/me', grace.accountToken)
}
