/** The outcome of the attempt that an event records. */
export type Outcome = 'success' | 'failure'

/** Who acted: a caller of the API, an operator at the command line, or the service by itself. */
export const ACTORS = ['client', 'operator', 'service'] as const
export type Actor = (typeof ACTORS)[number]

/** Every event that is recorded, and what it says of its attempt. The log, the table and `/me/events` use these names. */
export const EVENTS = {
  account_registered: 'success',
  account_created: 'success',
  account_imported: 'success',
  accounts_exported: 'success',
  account_exported: 'success',
  account_disabled: 'success',
  account_enabled: 'success',
  account_renamed: 'success',
  roles_set: 'success',
  account_unlocked: 'success',
  account_expired: 'success',
  account_deleted: 'success',
  password_accepted: 'success',
  password_refused: 'failure',
  code_accepted: 'success',
  code_rejected: 'failure',
  code_sent: 'success',
  second_factor_failing: 'failure',
  passkey_counter_fell: 'failure',
  attempts_paused: 'failure',
  enrolment_code_rejected: 'failure',
  factor_pending: 'success',
  factor_enrolled: 'success',
  factor_renamed: 'success',
  factor_replaced: 'success',
  factor_removed: 'success',
  factors_reset: 'success',
  email_codes_switched_on: 'success',
  email_codes_switched_off: 'success',
  recovery_codes_renewed: 'success',
  recovery_code_used: 'success',
  recovery_codes_low: 'success',
  recovery_code_voided: 'failure',
  new_network: 'success',
  session_started: 'success',
  session_ended: 'success',
  session_displaced: 'success',
  other_sessions_ended: 'success',
  all_sessions_ended: 'success',
  token_refreshed: 'success',
  token_refresh_repeated: 'success',
  refresh_token_reused: 'failure',
  password_changed: 'success',
  password_reset_requested: 'success',
  password_reset: 'success',
  email_change_requested: 'success',
  email_changed: 'success',
  client_created: 'success',
  client_secret_rotated: 'success',
  client_secret_ended: 'success',
  client_secret_refused: 'failure',
  client_disabled: 'success',
  client_enabled: 'success',
  client_deleted: 'success',
  signing_key_made: 'success',
  signing_key_revoked: 'success',
  secrets_resealed: 'success',
  lost_keys_forgotten: 'success',
  database_restored: 'success',
} as const satisfies Record<string, Outcome>

export type EventName = keyof typeof EVENTS

/**
 * The most rows an hour of one account, where one token can bring the event about again and again. Further ones have
 * their line in the log and are counted by the metrics.
 */
export const ROWS_AN_HOUR: { readonly [Name in EventName]?: number } = {
  factor_pending: 10,
  factor_renamed: 10,
}
