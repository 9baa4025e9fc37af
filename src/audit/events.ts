import type { NoticeName } from '../mail/templates/notices.ts'

/** The outcome of the attempt that an event records. */
export type Outcome = 'success' | 'failure'

/** Who acted: a caller of the API, an operator at the command line, or the service by itself. */
export const ACTORS = ['client', 'operator', 'service'] as const
export type Actor = (typeof ACTORS)[number]

interface EventKind {
  outcome: Outcome
  /** The mail that tells the owner, if the event is worth one. */
  notice?: NoticeName
  /**
   * The most rows an hour of one account, where one token can bring the event about again and again. Further ones have
   * their line in the log and are counted by the metrics.
   */
  rowsAnHour?: number
}

/** Every event that is recorded. The log, the table and `/me/events` use these names. */
export const EVENTS = {
  account_registered: { outcome: 'success' },
  account_created: { outcome: 'success' },
  account_imported: { outcome: 'success' },
  accounts_exported: { outcome: 'success' },
  account_exported: { outcome: 'success' },
  account_disabled: { outcome: 'success', notice: 'account_disabled' },
  account_enabled: { outcome: 'success', notice: 'account_enabled' },
  account_unlocked: { outcome: 'success' },
  account_expired: { outcome: 'success' },
  account_deleted: { outcome: 'success', notice: 'account_deleted' },
  password_accepted: { outcome: 'success' },
  password_refused: { outcome: 'failure' },
  code_accepted: { outcome: 'success' },
  code_rejected: { outcome: 'failure' },
  code_sent: { outcome: 'success' },
  second_factor_failing: { outcome: 'failure', notice: 'second_factor_failing' },
  passkey_counter_fell: { outcome: 'failure', notice: 'passkey_counter_fell' },
  attempts_paused: { outcome: 'failure' },
  enrolment_code_rejected: { outcome: 'failure' },
  factor_pending: { outcome: 'success', rowsAnHour: 10 },
  factor_enrolled: { outcome: 'success', notice: 'factor_enrolled' },
  factor_renamed: { outcome: 'success', rowsAnHour: 10 },
  factor_replaced: { outcome: 'success', notice: 'factor_replaced' },
  factor_removed: { outcome: 'success', notice: 'factor_removed' },
  factors_reset: { outcome: 'success', notice: 'factors_reset' },
  email_codes_switched_on: { outcome: 'success', notice: 'email_codes_switched_on' },
  email_codes_switched_off: { outcome: 'success', notice: 'email_codes_switched_off' },
  recovery_codes_renewed: { outcome: 'success', notice: 'recovery_codes_renewed' },
  recovery_code_used: { outcome: 'success', notice: 'recovery_code_used' },
  recovery_codes_low: { outcome: 'success', notice: 'recovery_codes_low' },
  session_started: { outcome: 'success' },
  session_ended: { outcome: 'success' },
  session_displaced: { outcome: 'success' },
  other_sessions_ended: { outcome: 'success' },
  all_sessions_ended: { outcome: 'success' },
  token_refreshed: { outcome: 'success' },
  token_refresh_repeated: { outcome: 'success' },
  refresh_token_reused: { outcome: 'failure', notice: 'refresh_token_reused' },
  password_changed: { outcome: 'success', notice: 'password_changed' },
  password_reset_requested: { outcome: 'success' },
  password_reset: { outcome: 'success', notice: 'password_reset' },
  email_change_requested: { outcome: 'success' },
  email_changed: { outcome: 'success', notice: 'email_changed' },
  signing_key_made: { outcome: 'success' },
  signing_key_revoked: { outcome: 'success' },
  secrets_resealed: { outcome: 'success' },
} as const satisfies Record<string, EventKind>

export type EventName = keyof typeof EVENTS

export function kindOf(name: EventName): EventKind {
  return EVENTS[name]
}
