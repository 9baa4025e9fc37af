import { describeTable, type TableDescriptions } from '../../platform/tables.ts'

declare module '../../platform/tables.ts' {
  interface Tables {
    mailed_code_factors: MailedCodeFactorsTable
    email_codes: EmailCodesTable
  }
}

/** The state of codes by mail for an account. Without a row, they are not a factor of the account. */
export interface MailedCodeFactorsTable {
  account_id: string
  /** When codes by mail became a second factor of the account; where there is another one, when its owner switched them on. */
  enrolled_at: number | null
  /** When a mailed token set the password, until a factor other than the mailbox is shown. */
  password_by_mail_at: number | null
  /** When a mailed code last signed the account in. */
  last_used_at: number | null
}

/** The latest code that was sent for a challenge. */
export interface EmailCodesTable {
  challenge_id: string
  account_id: string
  code_hash: string
  sent_at: number
  expires_at: number
  used_at: number | null
}

export const mailedCodeTables = {
  mailed_code_factors: describeTable('mailed_code_factors', {
    key: ['account_id'],
    person: { column: 'account_id' },
  }),
  email_codes: describeTable('email_codes', {
    key: ['challenge_id'],
    secrets: ['code_hash'],
    person: { column: 'account_id' },
    expiries: [{ column: 'expires_at' }],
  }),
} satisfies TableDescriptions
