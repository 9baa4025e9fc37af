import { type MailingService, mailedCode } from '../helpers/people/mail.ts'
import { newPasskey } from '../helpers/people/passkeys.ts'
import { totp } from '../helpers/people/totp.ts'
import { nextCode, wrongCode } from '../helpers/service/service.ts'
import { sign } from './handshake/handshake.ts'

/** The body of an answer. */
export type AnswerBody = Record<string, unknown>

/** Who has a factor, and what every factor brings. */
export interface Owner {
  username: string
  recoveryCodes: string[]
}

/** What an owner answers with: an authenticator, a mailbox, a sheet of codes, a key. */
export interface Device {
  /** The right answer that enrols it. */
  first: AnswerBody
  /** A right answer to what a token stands for, an mfa token or an access token. It is good once. */
  answer(service: MailingService, token: string): Promise<AnswerBody>
  /** An answer of the same form that is wrong. */
  spoilt(service: MailingService, answer: AnswerBody): AnswerBody
}

/** One kind of factor: a row of the table of tests. */
export interface Kind {
  method: string
  /** What it shows, and the level that it gives. */
  amr: readonly string[]
  acr: 'aal1' | 'aal2'
  /** Whether an account can begin with it. */
  enrols: boolean
  /** Where an enrolment begins, where a session finishes it, and where a sign-in does, if not as it verifies. */
  routes?: { begin: string; confirm: string; first?: string }
  /** Whether the sessions of an account go on that has added it to another factor. */
  sessionsGoOn?: true
  /** Whether an answer is good only with the token that its question was asked with. */
  bound: boolean
  stepsUp: boolean
  /** How a wrong answer is refused, and what the detail of the problem says. */
  wrong: '422 invalid_code' | '422 passkey_rejected'
  refused: RegExp
  /** Whether its answers are too long to be guessed. */
  unguessable?: true
  /** What becomes of a right answer to an old question when the factor was removed meanwhile. */
  afterRemoval: string
  /** Its line in the list of `GET /2fa`, if it has one. */
  seen?: object
  /** Its own member of `GET /2fa`, if it has one: while the account has the factor, and when it has not. */
  member?: { name: string; has: object; hasNot: object }
  /** What `users show` and `users list` say. */
  shown: object
  listed: string
  /** The tables whose rows expire. */
  expiring: readonly string[]
  /** Begins the enrolment with an mfa token or an account token. */
  begin(service: MailingService, owner: Owner, token: string, enrolmentCode?: string): Promise<Device>
}

export const passkey: Kind = {
  method: 'passkey',
  amr: ['hwk', 'user'],
  acr: 'aal2',
  enrols: true,
  routes: { begin: '/2fa/passkeys/options', confirm: '/2fa/passkeys', first: '/2fa/passkeys' },
  sessionsGoOn: true,
  bound: true,
  stepsUp: true,
  wrong: '422 passkey_rejected',
  refused: /^The passkey was refused/,
  unguessable: true,
  afterRemoval: '422 passkey_rejected',
  seen: { kind: 'passkey', name: /./, created_at: /^\d{4}-/, backed_up: false },
  member: {
    name: 'passkeys',
    has: { rp_id: 'localhost', user_id: /^[\w-]{43}$/, credential_ids: { length: 1 } },
    hasNot: { rp_id: 'localhost', credential_ids: { length: 0 } },
  },
  shown: { passkeys: 1 },
  listed: 'passkey',
  expiring: [],
  async begin(service, _owner, token) {
    const key = newPasskey()
    const ask = async (service: MailingService, path: string, token: string) =>
      (await service.post(path, undefined, token)).body.public_key
    return {
      first: { credential: key.create(await ask(service, '/2fa/passkeys/options', token)) },
      answer: async (service, token) => ({
        method: 'passkey',
        credential: key.get(await ask(service, '/2fa/passkeys/challenge', token)),
      }),
      spoilt: (_service, { credential, ...rest }) => ({ ...rest, credential: ofAnotherType(credential) }),
    }
  },
}

/** Of neither a new passkey nor an old one, and so with another signature than what is signed. */
function ofAnotherType(credential: unknown): object {
  const { response, ...rest } = credential as { response: { clientDataJSON: string } }
  const data = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString())
  const clientDataJSON = Buffer.from(JSON.stringify({ ...data, type: 'payment.get' })).toString('base64url')
  return { ...rest, response: { ...response, clientDataJSON } }
}

export const authenticator: Kind = {
  method: 'totp',
  amr: ['otp'],
  acr: 'aal2',
  enrols: true,
  routes: { begin: '/2fa/setup', confirm: '/2fa/setup/confirm' },
  bound: false,
  stepsUp: true,
  wrong: '422 invalid_code',
  refused: /^The code is wrong/,
  afterRemoval: '409 not_enrolled',
  seen: { kind: 'totp', name: 'Authenticator', created_at: /^\d{4}-/, last_used_at: /^\d{4}-/ },
  shown: { totp: true },
  listed: 'totp',
  expiring: ['totp_factors'],
  async begin(service, _owner, token, enrolmentCode) {
    const body = enrolmentCode === undefined ? undefined : { enrolment_code: enrolmentCode }
    const { secret } = (await service.post('/2fa/setup', body, token)).body
    return {
      first: { code: totp(secret, service.clock.now()) },
      answer: async (service) => ({ code: nextCode(service, { secret }) }),
      spoilt: (service) => ({ code: wrongCode(service, { secret }) }),
    }
  },
}

const mailbox: Kind = {
  method: 'email',
  amr: ['email'],
  acr: 'aal1',
  enrols: true,
  bound: true,
  stepsUp: false,
  wrong: '422 invalid_code',
  refused: /^The code is wrong/,
  // The mailbox was shown, which is all that enrolling it takes.
  afterRemoval: '200',
  seen: { kind: 'email', name: 'Codes by email', created_at: /^\d{4}-/, last_used_at: /^\d{4}-/ },
  shown: { email_codes: true },
  listed: 'email',
  expiring: ['email_codes'],
  async begin(service, _owner, token) {
    const answer = async (service: MailingService, token: string) => ({
      method: 'email',
      code: await mailedCode(service, token),
    })
    return { first: await answer(service, token), answer, spoilt: (_service, answer) => otherEnd(answer) }
  },
}

const recoveryCodes: Kind = {
  method: 'recovery_code',
  amr: ['recovery'],
  acr: 'aal2',
  enrols: false,
  bound: false,
  stepsUp: true,
  wrong: '422 invalid_code',
  refused: /^The code is wrong/,
  afterRemoval: '422 invalid_code',
  unguessable: true,
  member: {
    name: 'recovery_codes',
    has: { remaining: 10, generated_at: /^\d{4}-/ },
    hasNot: { remaining: 0, generated_at: null },
  },
  shown: { recovery_codes: 10 },
  listed: 'totp',
  expiring: [],
  /** They come with another factor. */
  async begin(service, owner, token) {
    const { first } = await authenticator.begin(service, owner, token)
    return {
      first,
      answer: async () => ({ method: 'recovery_code', code: owner.recoveryCodes.shift() }),
      spoilt: (_service, answer) => otherEnd(answer),
    }
  },
}

/** The one that only tests have. */
const handshake: Kind = {
  method: 'handshake',
  amr: ['pop'],
  acr: 'aal2',
  enrols: true,
  routes: { begin: '/2fa/handshake', confirm: '/2fa/handshake/confirm' },
  bound: true,
  stepsUp: true,
  wrong: '422 invalid_code',
  refused: /for its signature/,
  afterRemoval: '422 invalid_code',
  seen: { kind: 'handshake', name: 'Handshake key', created_at: /^\d{4}-/, last_used_at: null },
  member: { name: 'handshake', has: { keys: 1 }, hasNot: { keys: 0 } },
  shown: { handshake: true },
  listed: 'handshake',
  expiring: ['handshake_keys', 'handshake_challenges'],
  async begin(service, _owner, token) {
    const { key_id, key, challenge } = (await service.post('/2fa/handshake', undefined, token)).body
    const signed = (challenge: string) => ({
      method: 'handshake',
      response: { key_id, challenge, signature: sign(Buffer.from(key, 'base64url'), challenge) },
    })
    return {
      first: signed(challenge),
      answer: async (service, token) =>
        signed((await service.post('/2fa/handshake/challenge', undefined, token)).body.challenge),
      spoilt: (_service, { response, ...rest }) => ({
        ...rest,
        response: { ...(response as object), signature: sign(Buffer.from('another key'), challenge) },
      }),
    }
  },
}

/** The same code but for its last character, which no other code differs in alone. */
function otherEnd({ code, ...rest }: AnswerBody): AnswerBody {
  const text = String(code)
  return { ...rest, code: text.slice(0, -1) + (text.endsWith('0') ? '1' : '0') }
}

/** Every kind of factor there is in this process. A factor that is new has its row here. */
export const KINDS: readonly Kind[] = [passkey, authenticator, mailbox, recoveryCodes, handshake]
