import { type MailingService, mailedCode } from '../helpers/people/mail.ts'
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
  amr: string
  acr: 'aal1' | 'aal2'
  /** Whether an account can begin with it. */
  enrols: boolean
  /** Where an enrolment begins, and where a session finishes it. */
  routes?: { begin: string; confirm: string }
  /** Whether an answer is good only with the token that its question was asked with. */
  bound: boolean
  stepsUp: boolean
  /** What the detail of the problem says of a wrong answer. */
  refused: RegExp
  /** What becomes of a right answer to an old question when the factor was removed meanwhile. */
  afterRemoval: string
  /** Its member of `GET /2fa`: while the account has the factor, and when it has not. */
  member: string
  has: object
  hasNot: object
  /** What `users show` and `users list` say. */
  shown: object
  listed: string
  /** The tables whose rows expire. */
  expiring: readonly string[]
  /** Begins the enrolment with an mfa token or an account token. */
  begin(service: MailingService, owner: Owner, token: string, enrolmentCode?: string): Promise<Device>
}

export const authenticator: Kind = {
  method: 'totp',
  amr: 'otp',
  acr: 'aal2',
  enrols: true,
  routes: { begin: '/2fa/setup', confirm: '/2fa/setup/confirm' },
  bound: false,
  stepsUp: true,
  refused: /^The code is wrong/,
  afterRemoval: '409 not_enrolled',
  member: 'totp',
  has: { active: true, confirmed_at: /^\d{4}-/ },
  hasNot: { active: false, confirmed_at: null },
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
  amr: 'email',
  acr: 'aal1',
  enrols: true,
  bound: true,
  stepsUp: false,
  refused: /^The code is wrong/,
  // The mailbox was shown, which is all that enrolling it takes.
  afterRemoval: '200',
  member: 'email',
  has: { active: true },
  hasNot: { active: false },
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
  amr: 'recovery',
  acr: 'aal2',
  enrols: false,
  bound: false,
  stepsUp: true,
  refused: /^The code is wrong/,
  afterRemoval: '422 invalid_code',
  member: 'recovery_codes',
  has: { remaining: 10, generated_at: /^\d{4}-/ },
  hasNot: { remaining: 0, generated_at: null },
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
  amr: 'swk',
  acr: 'aal2',
  enrols: true,
  routes: { begin: '/2fa/handshake', confirm: '/2fa/handshake/confirm' },
  bound: true,
  stepsUp: true,
  refused: /for its signature/,
  afterRemoval: '422 invalid_code',
  member: 'handshake',
  has: { active: true, keys: 1 },
  hasNot: { active: false, keys: 0 },
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
export const KINDS: readonly Kind[] = [authenticator, mailbox, recoveryCodes, handshake]
