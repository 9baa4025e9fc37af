import t from 'tap'
import { kindsOf } from '../helpers/people/factors.ts'
import {
  answerByEmail,
  codeIn,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  type MailingService,
  registerWithEmail,
} from '../helpers/people/mail.ts'
import { newPasskey } from '../helpers/people/passkeys.ts'
import { accountTokenFor, claimsOf } from '../helpers/people/sessions.ts'
import { type Answer, enrol, nextCode, PASSWORD, register, startService } from '../helpers/service/service.ts'
import { type Device, passkey } from './kinds.ts'
import { confirmIn, enrol as enrolKind } from './people.ts'

/**
 * What a login offers follows from the factors of the account and from nothing else. Every set of factors is
 * held against every policy, on one database that is served under one configuration after another.
 */

const METHODS = ['passkey', 'totp', 'email', 'recovery_code'] as const
type Method = (typeof METHODS)[number]

const PROOFS: Record<Method, object> = {
  passkey: { acr: 'aal2', amr: ['pwd', 'hwk', 'user', 'mfa'] },
  totp: { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] },
  email: { acr: 'aal1', amr: ['pwd', 'email', 'mfa'] },
  recovery_code: { amr: ['pwd', 'recovery', 'mfa'] },
}

/** What another person's passkey has signed. */
const STRANGERS = {
  method: 'passkey',
  credential: newPasskey().get({ challenge: 'AAAA' }),
}

interface Holder {
  id?: string
  secret?: string
  passkey?: Device
  recoveryCodes?: string[]
}

interface State {
  make(service: MailingService, username: string): Promise<Holder>
  enrolled: boolean
  /** What the owner sees, by either setting. */
  seen?: Method[]
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

const enrolByPasskey = async (service: MailingService, username: string): Promise<Holder> => {
  const person = await enrolKind(service, passkey, username)
  return { ...person, passkey: person }
}

/** To an account with another factor. */
const addPasskey = async (
  service: MailingService,
  { username, accessToken, ...person }: { username: string; accessToken: string } & Holder,
): Promise<Holder> => {
  const owner = { username, recoveryCodes: [] }
  const device = await passkey.begin(service, owner, await accountTokenFor(service, accessToken))
  await confirmIn(service, passkey, device.first, accessToken)
  return { ...person, passkey: device }
}

const STATES: Record<string, State> = {
  'the mailbox, no recovery codes': {
    make: withoutRecoveryCodes(enrolByEmail),
    enrolled: true,
    seen: ['email'],
    on: ['email'],
    off: [],
  },
  'an authenticator, no recovery codes': {
    make: withoutRecoveryCodes(enrol),
    enrolled: true,
    seen: ['totp'],
    on: ['totp'],
    off: ['totp'],
  },
  'a passkey, no recovery codes': {
    make: withoutRecoveryCodes(enrolByPasskey),
    enrolled: true,
    seen: ['passkey'],
    on: ['passkey'],
    off: ['passkey'],
  },
  nothing: { make: register, enrolled: false, on: ['passkey', 'totp'], off: ['passkey', 'totp'] },
  'an unproven address': {
    make: registerWithEmail,
    enrolled: false,
    on: ['passkey', 'totp', 'email'],
    off: ['passkey', 'totp'],
  },
  'a pending authenticator': {
    async make(service, username) {
      const { mfaToken } = await register(service, username)
      return { secret: (await service.post('/2fa/setup', undefined, mfaToken)).body.secret }
    },
    enrolled: false,
    on: ['passkey', 'totp'],
    off: ['passkey', 'totp'],
  },
  'an authenticator': {
    make: enrol,
    enrolled: true,
    seen: ['totp'],
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
    seen: ['totp'],
    on: ['totp', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'an authenticator, a proven address': {
    make: enrolWithAddress,
    enrolled: true,
    seen: ['totp'],
    on: ['totp', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'an authenticator and codes by mail switched on': {
    make: enrolWithCodes,
    enrolled: true,
    seen: ['totp', 'email'],
    on: ['totp', 'email', 'recovery_code'],
    off: ['totp', 'recovery_code'],
  },
  'a passkey': {
    make: enrolByPasskey,
    enrolled: true,
    seen: ['passkey'],
    on: ['passkey', 'recovery_code'],
    off: ['passkey', 'recovery_code'],
  },
  'a passkey, an authenticator and codes by mail': {
    make: async (service, username) => addPasskey(service, await enrolWithCodes(service, username)),
    enrolled: true,
    seen: ['passkey', 'totp', 'email'],
    on: ['passkey', 'totp', 'email', 'recovery_code'],
    off: ['passkey', 'totp', 'recovery_code'],
  },
  'the mailbox': {
    make: enrolByEmail,
    enrolled: true,
    seen: ['email'],
    on: ['email', 'recovery_code'],
    off: ['recovery_code'],
  },
}

/** Answers with a right code of that kind, where there is one. */
async function answer(
  service: MailingService,
  person: Holder,
  method: Method,
  mfaToken: string,
): Promise<Answer> {
  if (method === 'recovery_code') {
    const code = person.recoveryCodes?.pop() ?? 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF'
    return service.post('/2fa/verify', { code, method }, mfaToken)
  }
  if (method === 'passkey') {
    const signed = (await person.passkey?.answer(service, mfaToken)) ?? STRANGERS
    return service.post('/2fa/verify', signed, mfaToken)
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
  const people: Record<string, Holder> = {}
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

        for (const [state, { enrolled, seen, [codes]: methods }] of Object.entries(STATES))
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
              t.strictSame(await kindsOf(service, answered.body.access_token), seen, 'what it has is shown')
            }
          })
        await service.close()
      })
})

const usernameOf = (state: string) => state.replace(/\W+/g, '-')
