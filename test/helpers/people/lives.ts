import type { Remote } from '../programs/remote.ts'
import { outcomeOf } from '../requests/burst.ts'
import type { Answer } from '../service/service.ts'
import { Person } from './person.ts'

/** What one person was told is so, and what must therefore be so for ever. */
export interface Life {
  username: string
  enrolled: boolean
  accessToken: string
  /** The last one; empty where nobody knows which it is. */
  refreshToken: string
  /** Codes that were accepted, each with how often. */
  used: Map<string, number>
}

/** How a person's calls went. */
export interface Witness {
  /** An answer that was expected. */
  done(call: string): void
  /** An answer that a fault of the service explains: 503. */
  failed(call: string, answer: Answer): void
  /** An answer that nothing explains. */
  wrong(call: string, answer: Answer): void
}

/** Where the same code is sent by somebody else at the same moment, past the load balancer. */
export type Elsewhere = () => Pick<Remote, 'post'>

/**
 * Registers, sets up an authenticator, verifies, logs in and verifies twice (with an authenticator code and a
 * recovery code, each sent twice at once), refreshes and reads. At the first failure the person goes away: what they
 * were told until then is what they rely on.
 */
export async function live(
  service: Remote,
  elsewhere: Elsewhere,
  life: Life,
  witness: Witness,
): Promise<void> {
  const person = new Person(service, { username: life.username })

  async function call(
    name: string,
    expected: number,
    answer: Promise<Answer>,
  ): Promise<Answer['body'] | undefined> {
    const came = await answer
    if (came.status === expected) {
      witness.done(name)
      return came.body
    }
    if (came.status === 503) witness.failed(name, came)
    else witness.wrong(name, came)
  }

  /** One code under two mfa tokens at once: at the load balancer, and at a replica. */
  async function verifyTwice(code: string, method: string): Promise<Answer['body'] | undefined> {
    const tokens: string[] = []
    for (let login = 0; login < 2; login++) {
      if (!(await call('login', 200, person.logIn()))) return
      tokens.push(person.mfaToken)
    }
    const [token, other] = tokens
    const [answer, replay] = await Promise.all([
      service.post('/2fa/verify', { code, method }, token),
      // A replica that was just killed cannot be reached: then nobody has replayed.
      elsewhere()
        .post('/2fa/verify', { code, method }, other)
        .catch(() => null),
    ])
    const accepted = [answer, replay].filter((each) => each?.status === 200)
    life.used.set(code, accepted.length)
    for (const each of [answer, replay])
      if (each && each.status !== 200 && outcomeOf(each) !== '422 invalid_code')
        each.status === 503 ? witness.failed('verify', each) : witness.wrong('verify', each)
    if (accepted.length > 0) witness.done('verify')
    return accepted[0]?.body
  }

  function keep(body: Answer['body']): void {
    life.accessToken = body.access_token
    life.refreshToken = body.refresh_token
  }

  if (!(await call('register', 201, person.register()))) return
  if (!(await call('set up', 200, person.setUp()))) return
  const confirming = person.code()
  // The code of the next step is taken already: the test need not wait for it.
  const next = person.code(1)
  const confirmed = await call('verify', 200, person.verify(confirming))
  if (!confirmed) return
  life.enrolled = true
  life.used.set(confirming, 1)
  keep(confirmed)

  const signedIn = await verifyTwice(next, 'totp')
  if (!signedIn) return
  keep(signedIn)
  const recovered = await verifyTwice(confirmed.recovery_codes[0], 'recovery_code')
  if (!recovered) return
  keep(recovered)

  const { refreshToken } = life
  life.refreshToken = ''
  const refreshed = await call('refresh', 200, person.refresh(refreshToken))
  if (!refreshed) return
  keep(refreshed)
  await call('me', 200, service.get('/me', life.accessToken))
}
