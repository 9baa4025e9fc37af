import type { Accounts } from '../accounts/accounts.ts'
import type { Attempts } from '../attempts/attempts.ts'
import type { OwnNetworks } from '../attempts/own-networks.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { MailAllowance } from '../mail/allowance.ts'
import type { SendLetter } from '../mail/send-letter.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import type { AccountTokens } from '../tokens/account-token.ts'
import type { Sessions } from '../tokens/sessions.ts'
import type { RelyingParty } from '../values/relying-party.ts'

/** The parts of the service that factors use. */
export interface FactorParts {
  db: Db
  clock: Clock
  box: SecretBox
  keyedHash: KeyedHash
  accounts: Accounts
  attempts: Attempts
  challenges: Challenges
  sessions: Sessions
  ownNetworks: OwnNetworks
  trail: AuditTrail
  accessTokens: AccessTokens
  accountTokens: AccountTokens
  allowance: MailAllowance
  /** Mails codes; `null` when they are switched off. */
  sendCode: SendLetter | null
  relyingParty: RelyingParty
  /** The name of this service in authenticator apps. */
  appName: string
  /** Whether every account must have a second factor. */
  mfaRequired: boolean
}
