/**
 * An account as a file has it: texts, numbers and truth values under the names that JSON Lines and CSV use. Nothing
 * is checked yet.
 */
export interface ImportRecord {
  /** Where it stands, for the report: `line 17`. */
  place: string
  values: Partial<Record<FieldName, unknown>>
}

/** Something that stands in the place of an account and cannot be read as one. */
export interface UnreadableRecord {
  place: string
  fault: string
}

export type ReadRecord = ImportRecord | UnreadableRecord

/** What a file may say of an account. */
export const FIELDS = {
  id: 'a UUID, to keep the `sub` of tokens; made when it is not there',
  username: 'required',
  email: 'an address',
  email_verified: 'whether it is proven; false when it is not there',
  password_hash: 'argon2, bcrypt, scrypt or PBKDF2, as PHC, Werkzeug, Django or passlib spell them',
  totp_secret: 'base32, or an otpauth:// URI',
  totp_digits: '6',
  totp_period: '30',
  totp_algorithm: 'SHA1',
  disabled: 'whether the account is closed; false when it is not there',
  created_at: 'a time as RFC 3339 has it, or seconds since 1970; now when it is not there',
} as const

export type FieldName = keyof typeof FIELDS
export const fieldNames = Object.keys(FIELDS) as FieldName[]
