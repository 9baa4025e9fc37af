import { rfc3339 } from '../../platform/clock.ts'
import type { Letter } from '../letter.ts'

/** What an owner is told of, after it has happened. */
const NOTICES = {
  factor_enrolled: [
    'an authenticator was set up',
    'An authenticator was set up as the second factor of your account.',
  ],
  mailbox_enrolled: [
    'codes by mail are your second factor',
    'From now on a code that is mailed to this address is a second factor of your account.',
  ],
  factor_replaced: ['your authenticator was replaced', 'A new authenticator took the place of the old one.'],
  factor_removed: ['your second factor was removed', 'Your account is protected by its password alone now.'],
  recovery_codes_renewed: ['new recovery codes', 'New recovery codes were made. The old ones are void.'],
  recovery_code_used: [
    'a recovery code was used',
    'A recovery code was used in the place of your authenticator.',
  ],
  recovery_codes_low: [
    'few recovery codes are left',
    'A recovery code was used, and at most two are left. Make new ones before you need them.',
  ],
  second_factor_failing: [
    'failed sign-ins with your password',
    'Somebody gave your right password, and then a wrong code three times.',
  ],
  refresh_token_reused: [
    'a session was ended for safety',
    'A token of one of your sessions was used a second time, which happens when somebody has copied it. The session has ended.',
  ],
  password_changed: [
    'your password was changed',
    'Your password was changed, and your other sessions have ended.',
  ],
  password_reset: ['your password was reset', 'Your password was reset, and all your sessions have ended.'],
  email_changed: [
    'your address was changed',
    'The address of your account was changed; this is the old or the new one.',
  ],
  account_deleted: [
    'your account was deleted',
    'Your account was deleted, and everything that belonged to it.',
  ],
} as const satisfies Record<string, readonly [subject: string, sentence: string]>

export type NoticeName = keyof typeof NOTICES

/** When, and from which address. */
export interface NoticeFacts {
  username: string
  /** Epoch milliseconds. */
  at: number
  ip: string
}

export function notice(name: NoticeName, { username, at, ip }: NoticeFacts): Letter {
  const [subject, sentence] = NOTICES[name]
  return {
    subject,
    paragraphs: [`Hello ${username},`, sentence],
    facts: [
      ['When', rfc3339(at)],
      ['From', ip],
    ],
    closing:
      name === 'account_deleted'
        ? 'If it was not you, tell the people who run this service at once.'
        : 'If it was not you, somebody else has got in: change your password, end all other sessions, and tell the people who run this service.',
  }
}
