import type { Accounts } from '../accounts/accounts.ts'
import type { OwnNetworks } from '../attempts/own-networks.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Audiences } from '../config.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { AccessTokens } from './access-token.ts'
import type { Sessions } from './sessions.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The parts of the service that this room uses. */
export interface TokensRoom {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  accounts: Accounts
  sessions: Sessions
  signingKeys: SigningKeys
  accessTokens: AccessTokens
  trail: AuditTrail
  ownNetworks: OwnNetworks
  /** The URL of this service: the claim `iss`. */
  issuer: string
  /** The services that access tokens are for; the first one, unless another one is asked for. */
  audiences: Audiences
  /** Whether Swagger UI is served. */
  docs: boolean
  /** The life of an unused refresh token in seconds. */
  refreshTtl: number
  /** Whether a second factor is required: sessions that have shown only the password are refused then. */
  mfaRequired: boolean
}
