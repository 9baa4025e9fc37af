import type { MailTemplate } from '../mail-template.ts'

const GREETING = 'Hello {username},'

const IF_MISTYPED =
  'If you did not ask for it, someone else has mistyped their address. You need not do anything: nothing happens without the code.'

const IF_IT_WAS_NOT_YOU =
  'If it was not you, someone else has access to your account. Set a new password at once, end all other sessions, and tell the administrator.'

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
  'Someone, probably you, asked to reset your password. Use this to set a new one. It works once, within {minutes} minutes:'

const IF_NOT_FORGOTTEN =
  'If it was not you, do nothing, and do not forward this mail. Your password stays as it is.'

const WANTED =
  'The administrator asks you to set a new password. Use this to set it. It works once, within {minutes} minutes:'

const KEEP_TO_YOURSELF =
  'Do not forward this mail to anyone, not even to the administrator, who will never ask you for it.'

/** Mails with a code, a token or a link in them. */
export const mails = {
  /** A code as a second factor: a person who knows the password asked for it. */
  sign_in_code: codeMail(
    'your sign-in code',
    GREETING,
    'Use this code to sign in. It works once, within {minutes} minutes:',
    'If you are not signing in, someone else knows your password: change it. Do not give this code to anyone. We will never ask you for it.',
  ),
  /** The same to an address that is not proven. The reader may be a stranger, so no name stands in it. */
  first_sign_in_code: codeMail(
    'your sign-in code',
    'Hello,',
    'Use this code to sign in. It works once, within {minutes} minutes:',
    `${IF_MISTYPED} Do not give this code to anyone. We will never ask you for it.`,
  ),
  /** Proof that an address belongs to the account. Until then it may be a stranger's, so no name stands in it. */
  address_code: codeMail(
    'confirm your address',
    'Hello,',
    'Use this code to confirm this address for your account. It works once, within {minutes} minutes:',
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
    'If you did not ask for it, someone else has mistyped their address. Do not open the link, because it would add your address to their account. Nothing happens without the link or the code.',
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
    'The administrator has reset your second factor. Sign in with your password, and use this code to set up an authenticator within {days} days:',
    'Do not give this code to anyone. If you did not ask for it, tell the administrator.',
  ),
}

const notice = (subject: string, sentence: string, closing = IF_IT_WAS_NOT_YOU) =>
  mail(subject, GREETING, sentence, FACTS, closing)

/** What the owner is told afterwards, by the name of the event. */
export const notices = {
  factor_enrolled: notice(
    'a second factor was set up',
    'A second factor was set up for your account: {factor}. You need it to sign in from now on.',
  ),
  factor_replaced: notice('your authenticator was replaced', 'A new authenticator has replaced the old one.'),
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
    'Mailed codes no longer work for your account. Use your other second factor to sign in.',
  ),
  recovery_codes_renewed: notice(
    'new recovery codes',
    'New recovery codes were made for your account. The old ones no longer work.',
  ),
  recovery_code_used: notice(
    'a recovery code was used',
    'A recovery code was used instead of your second factor.',
  ),
  recovery_codes_low: notice(
    'few recovery codes are left',
    'A recovery code was used, and at most two are left. Make new ones soon.',
  ),
  recovery_code_voided: notice(
    'a recovery code no longer works',
    'Someone entered one of your recovery codes ten times with a wrong password. This code no longer works.',
    'If it was not you, someone else knows your recovery codes: make new ones.',
  ),
  passkey_counter_fell: notice(
    'a passkey was refused',
    'One of your passkeys was refused. It counts its uses, and the count went backwards. Someone may have a copy of it.',
    'Sign in with another factor, remove this passkey, and make a new one.',
  ),
  second_factor_failing: notice(
    'failed sign-ins with your password',
    'Someone entered your correct password, and then failed three times at the second factor: {factor}.',
    'If it was not you, someone else knows your password: change it.',
  ),
  refresh_token_reused: notice(
    'a session was ended for safety',
    'A token of one of your sessions was used a second time. This happens when someone has copied it. The session has ended.',
    'Sign in again. If it happens again, or you see sessions that are not yours, change your password and tell the administrator.',
  ),
  new_network: notice(
    'a sign-in from a new place',
    'Someone signed in to your account from a network that it had not been used from before. If it was you, there is nothing to do.',
  ),
  password_changed: notice(
    'your password was changed',
    'Your password was changed, and your other sessions have ended.',
    'If it was not you, someone else has access to your account. Reset your password at once, and tell the administrator.',
  ),
  password_reset: notice(
    'your password was reset',
    'Your password was reset with a token that was mailed to this address. All your sessions have ended.',
    'If it was not you, someone else can read this mailbox. Secure it, reset your password again, and tell the administrator.',
  ),
  email_changed: notice(
    'your address was changed',
    'Your account has a new address. This mail goes to the new address, and to the old one if there was one.',
    'If it was not you, someone else has access to your account. Tell the administrator at once.',
  ),
  account_disabled: notice(
    'your account was disabled',
    'The administrator has disabled your account. All its sessions have ended.',
    'If you do not know why, ask the administrator.',
  ),
  account_enabled: notice(
    'your account is enabled again',
    'The administrator has enabled your account again. You can sign in.',
    'If you do not know why, ask the administrator.',
  ),
  factors_reset: notice(
    'your second factor was reset',
    'The administrator has removed the second factor and the recovery codes of your account, and ended its sessions.',
    'Sign in and set up a new one. If you did not ask for this, tell the administrator at once.',
  ),
  account_deleted: notice(
    'your account was deleted',
    'Your account and everything that belonged to it were deleted.',
    'If it was not you, tell the administrator at once.',
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
  unknownAddress: 'an unknown address',
  operators: 'the administrator',
}
