import type { MailTemplate } from '../mail-template.ts'

const GREETING = 'Hello {username},'

const IF_MISTYPED =
  'If you did not ask for it, someone has mistyped their address. Without the code nothing happens: you need not do anything.'

const IF_IT_WAS_NOT_YOU =
  'If it was not you, someone else has got in: set a new password at once, end all other sessions, and tell the people who run this service.'

const FACTS = 'When: {when}\nFrom: {from}'

const mail = (subject: string, ...paragraphs: string[]): MailTemplate => ({
  subject: `{service}: ${subject}`,
  text: [...paragraphs, '-- \n{service}'].join('\n\n'),
})

const codeMail = (subject: string, greeting: string, sentence: string, closing: string) =>
  mail(subject, greeting, sentence, '    {code}', FACTS, closing)

const linkMail = (button: string, subject: string, ...paragraphs: string[]): MailTemplate => ({
  ...mail(subject, ...paragraphs),
  button,
})

const NEW_PASSWORD = 'Set a new password'

const FORGOTTEN =
  'Someone, probably you, forgot your password. This sets a new one. It is good once, for {minutes} minutes:'

const IF_NOT_FORGOTTEN =
  'If it was not you, do nothing, and do not pass this mail on: without it your password stays as it is.'

const WANTED =
  'The people who run this service ask you to set a new password. Use this to set it. It is good once, for {minutes} minutes:'

const KEEP_TO_YOURSELF =
  'Do not pass this mail on to anyone, the people who run this service included: they will never ask you for it.'

/** Mails with a code, a token or a link in them. */
export const mails = {
  /** A code as a second factor: a person who knows the password asked for it. */
  sign_in_code: codeMail(
    'your sign-in code',
    GREETING,
    'Here is the code that signs you in. It is good once, for {minutes} minutes:',
    'If you are not signing in, someone else knows your password: change it. Do not give this code to anyone; we will never ask you for it.',
  ),
  /** The same to an address that is not proven. The reader may be a stranger, so no name stands in it. */
  first_sign_in_code: codeMail(
    'your sign-in code',
    'Hello,',
    'Here is the code that signs you in. It is good once, for {minutes} minutes:',
    `${IF_MISTYPED} Do not give this code to anyone; we will never ask you for it.`,
  ),
  /** Proof that an address belongs to the account. Until then it may be a stranger's, so no name stands in it. */
  address_code: codeMail(
    'confirm your address',
    'Hello,',
    'Here is the code that confirms this address for your account. It is good once, for {minutes} minutes:',
    IF_MISTYPED,
  ),
  /** The same where a link does it too, also on another device than the one where it was asked for. */
  address_link: linkMail(
    'Confirm this address',
    'confirm your address',
    'Hello,',
    'Open this link to confirm this address for your account, or enter the code where you asked for it. Use one of them, within {minutes} minutes:',
    '{link}',
    '    {code}',
    FACTS,
    'If you did not ask for it, someone has mistyped their address. Do not open the link: it would give your address to their account. Without it and the code nothing happens.',
  ),
  /** The way to a new password, for a person who forgot the old one. */
  password_forgotten: codeMail('reset your password', GREETING, FORGOTTEN, IF_NOT_FORGOTTEN),
  password_forgotten_link: linkMail(
    NEW_PASSWORD,
    'reset your password',
    ...[GREETING, FORGOTTEN, '{link}', FACTS, IF_NOT_FORGOTTEN],
  ),
  /** The same where an operator asks for it, perhaps for a person who never had a password. */
  password_wanted: codeMail('reset your password', GREETING, WANTED, KEEP_TO_YOURSELF),
  password_wanted_link: linkMail(
    NEW_PASSWORD,
    'reset your password',
    ...[GREETING, WANTED, '{link}', FACTS, KEEP_TO_YOURSELF],
  ),
  /** The code with which the owner sets up a first factor after an operator has reset the account. */
  enrolment_code: codeMail(
    'your enrolment code',
    GREETING,
    'The people who run this service have reset your second factor. Sign in with your password, and set up an authenticator with this code, within {days} days:',
    'Do not give this code to anyone. If you did not ask for it, tell the people who run this service.',
  ),
}

const notice = (subject: string, sentence: string, closing = IF_IT_WAS_NOT_YOU) =>
  mail(subject, GREETING, sentence, FACTS, closing)

/** What the owner is told afterwards, by the name of the event. */
export const notices = {
  factor_enrolled: notice(
    'a second factor was set up',
    'A second factor was set up for your account: {factor}. From now on it is asked for.',
  ),
  factor_replaced: notice(
    'your authenticator was replaced',
    'A new authenticator took the place of the old one.',
  ),
  factor_removed: notice(
    'a second factor was removed',
    'A second factor was removed from your account: {factor}. If it was the last one, your password alone protects it now.',
  ),
  email_codes_switched_on: notice(
    'codes by mail were switched on',
    'A code that is mailed to this address counts as a second factor of your account from now on.',
  ),
  email_codes_switched_off: notice(
    'codes by mail were switched off',
    'Mailed codes do not sign in to your account any more. Your other second factor does.',
  ),
  recovery_codes_renewed: notice(
    'new recovery codes',
    'New recovery codes were made for your account. The old ones are void.',
  ),
  recovery_code_used: notice(
    'a recovery code was used',
    'A recovery code was used instead of your second factor.',
  ),
  recovery_codes_low: notice(
    'few recovery codes are left',
    'A recovery code was used, and at most two are left. Make new ones before you need them.',
  ),
  passkey_counter_fell: notice(
    'a passkey was refused',
    'A passkey of yours was refused: it counts its uses, and the count went back. Someone may have a copy of it.',
    'Sign in with another factor, remove this passkey, and make a new one.',
  ),
  second_factor_failing: notice(
    'failed sign-ins with your password',
    'Someone gave your right password, and then failed at the second factor three times: {factor}.',
    'If it was not you, someone else knows your password: change it.',
  ),
  refresh_token_reused: notice(
    'a session was ended for safety',
    'A token of one of your sessions was used a second time, which happens when someone has copied it. The session has ended.',
    'Sign in again. If it happens again, or you see sessions that are not yours, change your password and tell the people who run this service.',
  ),
  new_network: notice(
    'a sign-in from a new place',
    'Your account was signed in to from a network that is new to it. If it was you, there is nothing to do.',
  ),
  password_changed: notice(
    'your password was changed',
    'Your password was changed, and your other sessions have ended.',
    'If it was not you, someone else has got in: reset your password at once, and tell the people who run this service.',
  ),
  password_reset: notice(
    'your password was reset',
    'Your password was reset by a token from this mailbox, and all your sessions have ended.',
    'If it was not you, someone else reads this mailbox: secure it, reset your password again, and tell the people who run this service.',
  ),
  email_changed: notice(
    'your address was changed',
    'Your account has a new address. This mail goes to the new one and, where there was one, to the old one.',
    'If it was not you, someone else has got in: tell the people who run this service at once.',
  ),
  account_disabled: notice(
    'your account was closed',
    'The people who run this service have closed your account. All its sessions have ended.',
    'If you do not know why, ask them.',
  ),
  account_enabled: notice(
    'your account is open again',
    'The people who run this service have opened your account again. You can sign in.',
    'If you do not know why, ask them.',
  ),
  factors_reset: notice(
    'your second factor was reset',
    'The people who run this service have removed the second factor and the recovery codes of your account, and ended its sessions.',
    'Sign in and set up a new one. If you did not ask for it, tell them at once.',
  ),
  account_deleted: notice(
    'your account was deleted',
    'Your account was deleted, and everything that belonged to it.',
    'If it was not you, tell the people who run this service at once.',
  ),
}

/** The kinds of second factors, in a sentence. */
export const factors = {
  totp: 'an authenticator app',
  passkey: 'a passkey',
  email: 'codes by mail',
  recovery_code: 'recovery codes',
  other: 'another one',
}

/** When and from where, in a mail. */
export const circumstances = {
  /** In which form dates are written (BCP 47). */
  dates: 'en-GB',
  address: (ip: string) => `IP address ${ip}`,
  unknownAddress: 'an address that is not known',
  operators: 'the people who run this service',
}
