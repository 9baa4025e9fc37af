/** The password was right, and a second factor is still to be shown. The id is the `jti` of the mfa token. */
export interface Challenge {
  id: string
  accountId: string
  /** Epoch milliseconds. */
  createdAt: number
  expiresAt: number
}
