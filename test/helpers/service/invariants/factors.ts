import type { Evidence } from './evidence.ts'

/** What must hold of a second factor in every test. */
export interface FactorRules {
  /** Its name in the events and the counters. */
  method: string
  /** What the `amr` of a session is that has shown it: `pwd` stands where that showed a password. */
  amr: RegExp
  /** The level that the session has then; `best` is that of the best other factor of the account. */
  acr: 'aal1' | 'aal2' | 'best'
  /** The accounts that have it, where it reaches more than a mailbox does. */
  holders?: (rows: Evidence['rows']) => readonly string[]
  /** The accounts that have it or had it, where that stays in a table. */
  everHeld?: (rows: Evidence['rows']) => readonly string[]
  /** The events that say that an answer of it was accepted; each of them has used something up. */
  accepted: readonly string[]
  /** What else forgets its failures. */
  renewed?: readonly string[]
  /** Whether it brings every other counter back to its beginning. */
  clearsAll?: true
  /** The table and the column that says whether an answer was used; the ledger knows the others without. */
  singleUse?: readonly [table: string, column: string]
}

/** A factor that is new has its line here. */
export const factorRules: FactorRules[] = [
  {
    method: 'passkey',
    amr: /^(pwd )?(hwk|swk)( user)? mfa$/,
    acr: 'aal2',
    holders: (rows) =>
      rows('passkeys')
        .filter(({ removed_at }) => removed_at === null)
        .map((row) => row.account_id),
    everHeld: (rows) => rows('passkeys').map((row) => row.account_id),
    accepted: ['code_accepted passkey', 'factor_enrolled passkey'],
    clearsAll: true,
  },
  {
    method: 'totp',
    amr: /^(pwd )?otp mfa$/,
    acr: 'aal2',
    holders: (rows) =>
      rows('totp_factors')
        .filter(({ state }) => state === 'active')
        .map((row) => row.account_id),
    accepted: ['code_accepted totp', 'factor_enrolled totp', 'factor_replaced totp'],
  },
  {
    method: 'email',
    amr: /^(pwd )?email mfa$/,
    acr: 'aal1',
    accepted: ['code_accepted email'],
    // A mailbox that is proven or switched on again is a factor set up again.
    renewed: ['factor_enrolled email', 'email_codes_switched_on email'],
    singleUse: ['email_codes', 'used_at'],
  },
  {
    method: 'recovery_code',
    amr: /^(pwd )?recovery mfa$/,
    acr: 'best',
    accepted: ['code_accepted recovery_code'],
    renewed: ['recovery_codes_renewed '],
    clearsAll: true,
    singleUse: ['recovery_codes', 'used_at'],
  },
]
