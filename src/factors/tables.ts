import { describeTable, type TableDescriptions } from '../platform/tables.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    enrolment_codes: EnrolmentCodesTable
  }
}

/** While an account has a row here, its first factor takes the code, also when the code has expired. */
export interface EnrolmentCodesTable {
  account_id: string
  code_hash: string
  wrong_codes: number
  /** 1 where it went to the mailbox of the account, which must not set the password too. */
  mailed: number
  created_at: number
  expires_at: number
  /** The challenge under which it was shown: that sign-in confirms the first factor, and no other. */
  shown_by: string | null
}

export const enrolmentTables = {
  enrolment_codes: describeTable('enrolment_codes', {
    key: ['account_id'],
    secrets: ['code_hash'],
    person: { column: 'account_id' },
  }),
} satisfies TableDescriptions
