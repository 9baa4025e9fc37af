/** An account of another program, with the credentials of its owner. Times are epoch milliseconds. */
export interface ImportedAccount {
  id: string
  username: string
  email: string | null
  emailVerifiedAt: number | null
  /** In a spelling that is stored here. The first login replaces it by a new hash. */
  passwordHash: string
  /** Secrets of factors that are already in use, by method. */
  secrets: Readonly<Record<string, Buffer>>
  /** The code that its first factor will take; without one the password is enough. */
  enrolmentCode?: string
  createdAt: number
  disabledAt: number | null
  /** In order. */
  roles: readonly string[]
}
