import { type Static, Type } from 'typebox'
import { CLOSED } from '../http/schemas.ts'
import { exampleSignIn, exampleTokens, signInMembers, TokenResponseSchema } from '../tokens/schemas.ts'
import { signInResponse, tokenResponse } from '../tokens/token-response.ts'
import type { EnrolledInSession } from './enrol-in-session.ts'
import type { FactorsRoom } from './room.ts'
import type { Verified } from './verify.ts'

const recoveryCodes = {
  recovery_codes: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Ten codes in case the phone is lost; returned once, with the first factor',
    }),
  ),
}

const exampleCodes = { recovery_codes: ['7QKM-2X9T-B4HW-ZC6R-1NVD-8FYP'] }

export const SignInSchema = Type.Object(
  { ...signInMembers, ...recoveryCodes },
  {
    ...CLOSED,
    $id: 'SignIn',
    description: 'Signed in: the code is correct',
    examples: [{ ...exampleSignIn, ...exampleCodes }],
  },
)

export const ConfirmedSchema = Type.Object(
  { ...TokenResponseSchema.properties, ...recoveryCodes },
  {
    ...CLOSED,
    $id: 'Confirmed',
    description: 'The factor is active; these are the tokens of a new session, and all others have ended',
    examples: [{ ...exampleTokens, ...exampleCodes }],
  },
)

type Room = Pick<FactorsRoom, 'accessTokens' | 'accountTokens' | 'clock'>

/** Writes the answer to a verified challenge. It has recovery codes only when they were just made. */
export function verifiedResponse(
  room: Room,
  { signIn, recoveryCodes }: Verified,
): Static<typeof SignInSchema> {
  return { ...signInResponse(room, signIn), ...(recoveryCodes && { recovery_codes: recoveryCodes }) }
}

export function confirmedResponse(
  room: Room,
  { grant, recoveryCodes }: EnrolledInSession,
): Static<typeof ConfirmedSchema> {
  return { ...tokenResponse(room, grant), ...(recoveryCodes && { recovery_codes: recoveryCodes }) }
}
