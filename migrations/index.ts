import type { Migration } from 'kysely/migration'
import * as accounts from './0001-accounts.ts'
import * as challenges from './0002-challenges.ts'
import * as totpFactors from './0003-totp-factors.ts'
import * as recoveryCodes from './0004-recovery-codes.ts'
import * as sessions from './0005-sessions.ts'
import * as keys from './0006-keys.ts'
import * as failureCounters from './0007-failure-counters.ts'
import * as auditEvents from './0008-audit-events.ts'
import * as emailCodes from './0009-email-codes.ts'
import * as passwordResets from './0010-password-resets.ts'
import * as outbox from './0011-outbox.ts'
import * as mailCounts from './0012-mail-counts.ts'
import * as auditActors from './0013-audit-actors.ts'
import * as refreshEvents from './0014-refresh-events.ts'
import * as mailedCodeFactors from './0015-mailed-code-factors.ts'
import * as spentStepsAndDeletedAccounts from './0016-spent-steps-and-deleted-accounts.ts'
import * as bounds from './0017-bounds.ts'
import * as accountTokens from './0018-account-tokens.ts'
import * as recovery from './0019-recovery.ts'
import * as refreshRepeatsAndOwnNetworks from './0020-refresh-repeats-and-own-networks.ts'
import * as expiredAccounts from './0021-expired-accounts.ts'
import * as shownEnrolmentCodes from './0022-shown-enrolment-codes.ts'
import * as passkeys from './0023-passkeys.ts'
import * as roles from './0024-roles.ts'
import * as serviceClients from './0025-service-clients.ts'
import * as keyHolders from './0026-key-holders.ts'
import * as provenAddresses from './0027-proven-addresses.ts'
import * as mailedCodeUse from './0028-mailed-code-use.ts'
import * as eventsOfFewKinds from './0029-events-of-few-kinds.ts'

/** The one timeline for every database, in order. A migration that was released is never edited. */
export const migrations: Record<string, Migration> = {
  '0001-accounts': accounts,
  '0002-challenges': challenges,
  '0003-totp-factors': totpFactors,
  '0004-recovery-codes': recoveryCodes,
  '0005-sessions': sessions,
  '0006-keys': keys,
  '0007-failure-counters': failureCounters,
  '0008-audit-events': auditEvents,
  '0009-email-codes': emailCodes,
  '0010-password-resets': passwordResets,
  '0011-outbox': outbox,
  '0012-mail-counts': mailCounts,
  '0013-audit-actors': auditActors,
  '0014-refresh-events': refreshEvents,
  '0015-mailed-code-factors': mailedCodeFactors,
  '0016-spent-steps-and-deleted-accounts': spentStepsAndDeletedAccounts,
  '0017-bounds': bounds,
  '0018-account-tokens': accountTokens,
  '0019-recovery': recovery,
  '0020-refresh-repeats-and-own-networks': refreshRepeatsAndOwnNetworks,
  '0021-expired-accounts': expiredAccounts,
  '0022-shown-enrolment-codes': shownEnrolmentCodes,
  '0023-passkeys': passkeys,
  '0024-roles': roles,
  '0025-service-clients': serviceClients,
  '0026-key-holders': keyHolders,
  '0027-proven-addresses': provenAddresses,
  '0028-mailed-code-use': mailedCodeUse,
  '0029-events-of-few-kinds': eventsOfFewKinds,
}
