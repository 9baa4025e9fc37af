import type { Attempts } from '../attempts/attempts.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { MailAllowance } from '../mail/allowance.ts'
import type { SendLetter } from '../mail/send-letter.ts'
import type { AccountTokens } from '../tokens/account-token.ts'
import type { TokensRoom } from '../tokens/room.ts'
import type { RelyingParty } from '../values/relying-party.ts'

type Shared =
  | 'db'
  | 'clock'
  | 'keyedHash'
  | 'accounts'
  | 'sessions'
  | 'ownNetworks'
  | 'trail'
  | 'accessTokens'

/** The parts of the service that factors use. */
export interface FactorParts extends Pick<TokensRoom, Shared | 'mfaRequired'> {
  box: SecretBox
  attempts: Attempts
  challenges: Challenges
  accountTokens: AccountTokens
  allowance: MailAllowance
  /** Mails codes; `null` when they are switched off. */
  sendCode: SendLetter | null
  relyingParty: RelyingParty
  /** The name of this service in authenticator apps. */
  appName: string
}
