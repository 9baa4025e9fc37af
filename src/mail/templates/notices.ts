import type { EventName } from '../../audit/events.ts'
import type { Letter } from '../letter.ts'
import { type Circumstances, factsOf, greet } from './circumstances.ts'

const IF_IT_WAS_NOT_YOU =
  'If it was not you, somebody else has got in: set a new password at once, end all other sessions, and tell the people who run this service.'

interface Notice {
  subject: string
  /** `{factor}` is the kind of factor. */
  sentence: string
  /** What to do, if not the usual. */
  closing?: string
}

/** The events that the owner is told about afterwards. */
const NOTICES = {
  factor_enrolled: {
    subject: 'a second factor was set up',
    sentence: 'A second factor was set up for your account: {factor}. From now on it is asked for.',
  },
  factor_replaced: {
    subject: 'your authenticator was replaced',
    sentence: 'A new authenticator took the place of the old one.',
  },
  factor_removed: {
    subject: 'a second factor was removed',
    sentence:
      'A second factor was removed from your account: {factor}. If it was the last one, your password alone protects it now.',
  },
  email_codes_switched_on: {
    subject: 'codes by mail were switched on',
    sentence: 'A code that is mailed to this address counts as a second factor of your account from now on.',
  },
  email_codes_switched_off: {
    subject: 'codes by mail were switched off',
    sentence: 'Mailed codes do not sign in to your account any more. Your other second factor does.',
  },
  recovery_codes_renewed: {
    subject: 'new recovery codes',
    sentence: 'New recovery codes were made for your account. The old ones are void.',
  },
  recovery_code_used: {
    subject: 'a recovery code was used',
    sentence: 'A recovery code was used in the place of your second factor.',
  },
  recovery_codes_low: {
    subject: 'few recovery codes are left',
    sentence: 'A recovery code was used, and at most two are left. Make new ones before you need them.',
  },
  passkey_counter_fell: {
    subject: 'a passkey was refused',
    sentence:
      'A passkey of yours was refused: it counts its uses, and the count went back. Someone may have a copy of it.',
    closing: 'Sign in with another factor, remove this passkey, and make a new one.',
  },
  second_factor_failing: {
    subject: 'failed sign-ins with your password',
    sentence: 'Someone gave your right password, and then failed at the second factor three times: {factor}.',
    closing: 'If it was not you, somebody else knows your password: change it.',
  },
  refresh_token_reused: {
    subject: 'a session was ended for safety',
    sentence:
      'A token of one of your sessions was used a second time, which happens when somebody has copied it. The session has ended.',
    closing:
      'Sign in again. If it happens again, or you see sessions that are not yours, change your password and tell the people who run this service.',
  },
  password_changed: {
    subject: 'your password was changed',
    sentence: 'Your password was changed, and your other sessions have ended.',
    closing:
      'If it was not you, somebody else has got in: reset your password at once, and tell the people who run this service.',
  },
  password_reset: {
    subject: 'your password was reset',
    sentence: 'Your password was reset by a token from this mailbox, and all your sessions have ended.',
    closing:
      'If it was not you, somebody else reads this mailbox: secure it, reset your password again, and tell the people who run this service.',
  },
  email_changed: {
    subject: 'your address was changed',
    sentence:
      'Your account has a new address. This mail goes to the new one and, where there was one, to the old one.',
    closing: 'If it was not you, somebody else has got in: tell the people who run this service at once.',
  },
  account_disabled: {
    subject: 'your account was closed',
    sentence: 'The people who run this service have closed your account. All its sessions have ended.',
    closing: 'If you do not know why, ask them.',
  },
  account_enabled: {
    subject: 'your account is open again',
    sentence: 'The people who run this service have opened your account again. You can sign in.',
    closing: 'If you do not know why, ask them.',
  },
  factors_reset: {
    subject: 'your second factor was reset',
    sentence:
      'The people who run this service have taken the second factor and the recovery codes from your account, and ended its sessions.',
    closing: 'Sign in and set up a new one. If you did not ask for it, tell them at once.',
  },
  account_deleted: {
    subject: 'your account was deleted',
    sentence: 'Your account was deleted, and everything that belonged to it.',
    closing: 'If it was not you, tell the people who run this service at once.',
  },
} as const satisfies { [Name in EventName]?: Notice }

export type NoticeName = keyof typeof NOTICES

export const noticeNames = Object.keys(NOTICES) as NoticeName[]

export const isNotice = (name: EventName): name is NoticeName => name in NOTICES

const FACTORS: Readonly<Record<string, string>> = {
  totp: 'an authenticator app',
  passkey: 'a passkey',
  email: 'codes by mail',
  recovery_code: 'recovery codes',
}

/** @param method the factor that it is about. */
export function notice(name: NoticeName, about: Circumstances, method = ''): Letter {
  const { subject, sentence, closing = IF_IT_WAS_NOT_YOU }: Notice = NOTICES[name]
  return {
    subject,
    paragraphs: [greet(about.username), sentence.replace('{factor}', FACTORS[method] ?? 'another one')],
    facts: factsOf(about),
    closing,
  }
}
