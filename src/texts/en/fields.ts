import type { FieldCode, PasswordFault } from '../../catalogue.ts'
import type { EmailFault } from '../../values/email-address.ts'

/** In a sentence such as "The password must have …", by the member of a body. */
const FIELDS: Record<string, string> = {
  // The pointer to the whole.
  '': 'body',
  username: 'username',
  password: 'password',
  current_password: 'current password',
  new_password: 'new password',
  email: 'email address',
  code: 'code',
  recovery_code: 'recovery code',
  enrolment_code: 'enrolment code',
  name: 'name',
}

/** What a member has to look like, where that can be said in a sentence. */
const FORMS: Record<string, string> = {
  username:
    "A username can contain only letters from A to Z, digits and . _ - + ', and must begin and end with a letter or a digit.",
  code: 'A code has six digits.',
}

const field = (member: string) => (FIELDS[member] ? `The ${FIELDS[member]}` : `"${member}"`)

/** One fault of a body, by its code. `member` is the last part of its pointer. */
export const fields: Record<FieldCode, (member: string, bound: number) => string> = {
  required: (member) => `${field(member)} is missing.`,
  too_short: (member, min) => `${field(member)} must have at least ${min} character${min === 1 ? '' : 's'}.`,
  too_long: (member, max) => `${field(member)} can have at most ${max} characters.`,
  pattern: (member) => FORMS[member] ?? `${field(member)} does not have the expected format.`,
  type: (member) => `${field(member)} is of the wrong type.`,
  unknown_member: (member) => `"${member}" is not accepted here.`,
}

/** Why a password is not taken. */
export const passwordFaults: Record<PasswordFault, (min: number) => string> = {
  too_short: (min) => `The password must have at least ${min} characters.`,
  common: () => 'This password is too common.',
  is_username: () => 'The password must not be the username.',
  is_service_name: () => 'The password must not be the name of this service.',
}

export const passwordGuidance = 'Use three or four unrelated words, or let a password manager make one.'

/** Why an email address is not taken. */
export const emailFaults: Record<EmailFault, string> = {
  parts: 'The email address must be a name, an @ and a domain.',
  not_ascii: 'The email address has non-ASCII characters before the @, which not every mail server accepts.',
  local_part: 'The email address has characters or dots before the @ that are not allowed there.',
  domain: 'The email address does not end in a domain name.',
  too_long: 'The email address is too long.',
}
