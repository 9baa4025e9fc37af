import type { MfaTokens } from '../challenges/mfa-token.ts'
import type { PasswordHasher } from '../crypto/password-hasher.ts'
import type { FactorsRoom } from '../factors/room.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'

/** The parts of the service that this room uses. */
export interface SignInRoom extends FactorsRoom {
  passwords: PasswordHasher
  mfaTokens: MfaTokens
  signingKeys: SigningKeys
}
