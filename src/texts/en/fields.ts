import type { FieldCode, PasswordFault } from '../../catalogue.ts'
import type { EmailFault } from '../../values/email-address.ts'

/** In a sentence such as "The password must have …", by the member of a body. */
const FIELDS: Record<string, string> = {
  // The pointer to the whole.
  '': 'body',
  username: 'username',
  password: 'password',
  current_password: 'present password',
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
    "A username has letters from A to Z, digits and . _ - + ' only, and begins and ends with a letter or a digit.",
  code: 'A code has six digits.',
}

const field = (member: string) => (FIELDS[member] ? `The ${FIELDS[member]}` : `"${member}"`)

/** One fault of a body, by its code. `member` is the last part of its pointer. */
export const fields: Record<FieldCode, (member: string, bound: number) => string> = {
  required: (member) => `${field(member)} is missing.`,
  too_short: (member, min) => `${field(member)} must have at least ${min} character${min === 1 ? '' : 's'}.`,
  too_long: (member, max) => `${field(member)} may have at most ${max} characters.`,
  pattern: (member) => FORMS[member] ?? `${field(member)} does not have the form that is taken here.`,
  type: (member) => `${field(member)} is of the wrong type.`,
  unknown_member: (member) => `"${member}" is not taken here.`,
}

/** Why a password is not taken. */
export const passwordFaults: Record<PasswordFault, (min: number) => string> = {
  too_short: (min) => `The password must have at least ${min} characters.`,
  common: () => 'This password is one of the most common ones.',
  is_username: () => 'The password must not be the username.',
  is_service_name: () => 'The password must not be the name of this service.',
}

export const passwordGuidance = 'Three or four unrelated words, or a password manager, make a good one.'

/** Why an email address is not taken. */
export const emailFaults: Record<EmailFault, string> = {
  parts: 'The email address is not one name, an @ and one domain.',
  not_ascii:
    'The email address has other than ASCII characters before the @: not every mail server takes it.',
  local_part: 'The email address has characters, or dots, before the @ that it cannot have there.',
  domain: 'The email address does not end in the name of a domain.',
  too_long: 'The email address has too many characters.',
}
