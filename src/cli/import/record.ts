import { factors } from '../../factors/registry.ts'

/**
 * An account as it is in a file: texts, numbers and booleans under the names that JSON Lines and CSV use. Nothing is
 * checked yet.
 */
export interface ImportRecord {
  /** The place in the file, for the report: `line 17`. */
  place: string
  values: Partial<Record<FieldName, unknown>>
}

/** A line that should be an account and cannot be read as one. */
export interface UnreadableRecord {
  place: string
  fault: string
}

export type ReadRecord = ImportRecord | UnreadableRecord

/** The fields that a file may have, with those for secrets of factors. */
export const FIELDS: Readonly<Record<string, string>> = {
  id: 'a UUID, to keep the `sub` of tokens; made when it is not there',
  username: 'required',
  email: 'an address',
  email_verified: 'whether it is proven; false when it is not there',
  password_hash:
    'argon2, bcrypt, scrypt, PBKDF2 or SHA-crypt, as PHC, Werkzeug, Django, passlib, Spring or Better Auth spell them',
  ...Object.assign({}, ...factors.map(({ portable }) => portable?.fields)),
  enrolment_code_required: 'whether its first factor takes an enrolment code; false when it is not there',
  disabled: 'whether the account is closed; false when it is not there',
  roles: 'texts; in CSV one text with blanks between them',
  created_at: 'a time as RFC 3339 has it, or seconds since 1970; now when it is not there',
}

export type FieldName = string
export const fieldNames: readonly FieldName[] = Object.keys(FIELDS)
