import { Type } from 'typebox'
import { CLOSED, Seconds } from '../../http/schemas.ts'
import { EnrolmentCode, FactorName, FactorSchema } from '../schemas.ts'

const base64url = (maxLength: number) => Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength })

/** 1023 bytes (WebAuthn Level 3 section 4). */
const CredentialId = base64url(1364)
const Base64url = base64url(12_000)

/** Browsers add members of their own to what they sign, so these objects are open; what is signed is checked. */
const credential = { id: CredentialId, rawId: CredentialId, type: Type.Literal('public-key') }

export const AssertionSchema = Type.Object(
  {
    ...credential,
    response: Type.Object({
      clientDataJSON: Base64url,
      authenticatorData: Base64url,
      signature: Base64url,
      userHandle: Type.Optional(Type.Union([Base64url, Type.Null()])),
    }),
  },
  {
    description:
      '`AuthenticationResponseJSON` (WebAuthn Level 3): the `toJSON()` of the credential from the browser',
  },
)

const RegistrationSchema = Type.Object(
  {
    ...credential,
    response: Type.Object({
      clientDataJSON: Base64url,
      attestationObject: Base64url,
      transports: Type.Optional(
        Type.Array(Type.String({ pattern: '^[a-z-]+$', maxLength: 32 }), { maxItems: 10 }),
      ),
    }),
  },
  {
    description:
      '`RegistrationResponseJSON` (WebAuthn Level 3): the `toJSON()` of the credential from the browser',
  },
)

export const SignInBody = Type.Object({ credential: AssertionSchema }, CLOSED)

export const OptionsBody = Type.Object({ enrolment_code: EnrolmentCode }, CLOSED)

export const PasskeyBody = Type.Object(
  { credential: RegistrationSchema, name: Type.Optional(FactorName) },
  CLOSED,
)

export const PasskeyOptionsSchema = Type.Object(
  {
    public_key: Type.Unsafe<object>({
      type: 'object',
      additionalProperties: true,
      description:
        'For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` in a browser',
    }),
    expires_in: Seconds('Seconds until the challenge expires'),
  },
  {
    ...CLOSED,
    $id: 'PasskeyOptions',
    description: 'The options that a browser passes to its authenticators',
  },
)

export const FactorAddedSchema = Type.Object(
  { factor: FactorSchema },
  { ...CLOSED, $id: 'FactorAdded', description: 'The passkey is now a factor of the account' },
)
