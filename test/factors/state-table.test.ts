import t from 'tap'
import {
  answerByEmail,
  codeIn,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  type MailingService,
  registerWithEmail,
} from '../helpers/people/mail.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { type Answer, enrol, nextCode, PASSWORD, register, startService } from '../helpers/service/service.ts'

/**
 * What a login offers follows from the factors of the account and from nothing else. Every set of factors is
 * held against every policy, on one database that is served under one configuration after another.
 */

const METHODS = ['totp', 'email', 'recovery_code'] as const
type Method = (typeof METHODS)[number]

const PROOFS: Record<Method, object> = {
  totp: { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] },
  email: { acr: 'aal1', amr: ['pwd', 'email', 'mfa'] },
  recovery_code: { amr: ['pwd', 'recovery', 'mfa'] },
}

interface Person {
  id?: string
  secret?: string
  recoveryCodes?: string[]
}

interface State {
  make(service: MailingService, username: string): Promise<Person>
  enrolled: boolean
  /** What `/login` offers with codes by mail, and without. */
  on: Method[]
  off: Method[]
}

const withoutRecoveryCodes =
  (make: State['make']): State['make'] =>
  async (service, username) => {
    const person = await make(service, username)
    await service.db.updateTable('recovery_codes').set({ used_at: 1 }).execute()
    return person
  }

const STATES: Record<string, State> = {
  'the mailbox, no recovery codes': {
    make: withoutRecoveryCodes(enrolByEmail),
    enrolled: true,
    on: ['email'],
    off: [],
  },
  'an authenticator, no recovery codes': {
    make: withoutRecoveryCodes(enrol),
    enrolled: true,
    on: ['totp'],
    off: ['totp'],
  },
  nothing: { make: register, enrolled: false, on: ['totp'], off: ['totp'] },
  'an unproven address': { make: registerWithEmail, enrolled: false, on: ['totp', 'email'], off: ['totp'] },
  'a pending authenticator': {
    async make(service, username) {
      const { mfaToken } = await register(service, username)
      return { secret: (await service.post('/2fa/setup', undefined, mfaToken)).body.secret }
    },
    enrolled: false,
    on: ['totp'],
    off: ['totp'],
  },
  'an authenticator': {
    make: enrol,
    enrolled: true,
    on: ['totp', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'an authenticator, an unproven address': {
    async make(service, username) {
      const { mfaToken } = await registerWithEmail(service, username)
      const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
      const { body } = await service.post('/2fa/verify', { code: nextCode(service, { secret }) }, mfaToken)
      return { secret, recoveryCodes: body.recovery_codes }
    },
    enrolled: true,
    on: ['totp', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'an authenticator, a proven address': {
    make: enrolWithAddress,
    enrolled: true,
    on: ['totp', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'an authenticator and codes by mail switched on': {
    make: enrolWithCodes,
    enrolled: true,
    on: ['totp', 'email', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'the mailbox': {
    make: enrolByEmail,
    enrolled: true,
    on: ['email', 'recovery_code'],
    off: ['recovery_code'],
  },
}

/** Answers with a right code of that kind, where there is one. */
async function answer(
  service: MailingService,
  person: Person,
  method: Method,
  mfaToken: string,
): Promise<Answer> {
  if (method === 'recovery_code') {
    const code = person.recoveryCodes?.pop() ?? 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF'
    return service.post('/2fa/verify', { code, method }, mfaToken)
  }
  if (method === 'totp') {
    const code = person.secret ? nextCode(service, { secret: person.secret }) : '000000'
    return service.post('/2fa/verify', { code }, mfaToken)
  }
  const sent = await service.post('/2fa/email', undefined, mfaToken)
  return sent.status === 202 ? answerByEmail(service, codeIn(service.smtp.mails.at(-1)), mfaToken) : sent
}

t.test('what a login offers and what opens, for every set of factors under every policy', async (t) => {
  const { clock, databaseUrl, ...first } = await startService(t, { mail: true })
  const people: Record<string, Person> = {}
  for (const [state, { make }] of Object.entries(STATES))
    people[state] = await make({ clock, databaseUrl, ...first }, usernameOf(state))
  await first.close()

  for (const policy of ['required', 'optional'] as const)
    for (const codes of ['on', 'off'] as const)
      await t.test(`MFA_POLICY=${policy} EMAIL_CODES=${codes}`, async (t) => {
        const environment = { MFA_POLICY: policy, EMAIL_CODES: codes }
        const service = await startService(t, { mail: true, environment, clock, databaseUrl })
        // Until then the codes of an hour may be used up.
        clock.advance(3600)

        for (const [state, { enrolled, [codes]: methods }] of Object.entries(STATES))
          await t.test(state, async (t) => {
            // A recovery code reaches the level of the best other factor.
            const best = state === 'the mailbox' ? 'aal1' : 'aal2'
            const credentials = { username: usernameOf(state), password: PASSWORD }
            const { status, body } = await service.post('/login', credentials)
            t.equal(status, 200)
            if (!enrolled && policy === 'optional') {
              t.equal(body.mfa_required, false)
              t.match(claimsOf(body.access_token), { acr: 'aal1', amr: ['pwd'] })
              t.match((await service.get('/me', body.access_token)).body, { two_factor_enabled: false })
              return
            }
            t.notOk(body.access_token)
            t.match(body, { mfa_required: true, enrolled })
            t.strictSame(body.methods, methods)
            if (enrolled) t.equal((await service.post('/2fa/setup', undefined, body.mfa_token)).status, 409)

            for (const method of METHODS) {
              if (!enrolled && methods.includes(method)) continue
              const { mfa_token: mfaToken } = (await service.post('/login', credentials)).body
              const answered = await answer(service, people[state] ?? {}, method, mfaToken)
              t.equal(answered.status === 200, methods.includes(method), `${method}: ${answered.status}`)
              if (answered.status !== 200) continue
              const proof = { ...PROOFS[method], ...(method === 'recovery_code' && { acr: best }) }
              t.match(claimsOf(answered.body.access_token), proof, method)
              t.match((await service.get('/me', answered.body.access_token)).body, {
                two_factor_enabled: true,
              })
              const factors = (await service.get('/2fa', answered.body.access_token)).body
              t.equal(factors.email.active, methods.includes('email'), 'what is taken is shown')
            }
          })
        await service.close()
      })
})

const usernameOf = (state: string) => state.replace(/\W+/g, '-')
