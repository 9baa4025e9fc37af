import { Type } from 'typebox'
import { CLOSED, Seconds, Timestamp } from '../http/schemas.ts'
import { TokenResponse } from '../tokens/schemas.ts'
import { METHODS } from './factors.ts'

export const Enrolment = Type.Object(
  {
    secret: Type.String({ description: 'Base32, 160 bits, for typing in by hand' }),
    otpauth_uri: Type.String({ description: 'The key URI that authenticator apps read' }),
    qr_png: Type.String({ description: 'The key URI as a QR code: a data URL of a PNG' }),
    expires_in: Seconds('Until the secret is void, unless a code confirms it'),
  },
  {
    ...CLOSED,
    $id: 'Enrolment',
    description: 'A pending authenticator',
    examples: [
      {
        secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
        otpauth_uri:
          'otpauth://totp/Keyturn:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Keyturn&algorithm=SHA1&digits=6&period=30',
        qr_png: 'data:image/png;base64,iVBORw0KGgo…',
        expires_in: 600,
      },
    ],
  },
)

export const VerifyResponse = Type.Object(
  {
    ...TokenResponse.properties,
    recovery_codes: Type.Optional(
      Type.Array(Type.String(), {
        description: 'After the first confirmation, this once: ten codes for the day the phone is lost',
      }),
    ),
  },
  {
    ...CLOSED,
    $id: 'VerifyResponse',
    description: 'The code was right',
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…',
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE',
        refresh_expires_in: 2592000,
        recovery_codes: ['7QKM-2X9T-B4HW-ZC6R-1NVD-8FYP'],
      },
    ],
  },
)

export const twoFactorSchemas = [Enrolment, VerifyResponse]

export const AnswerBody = Type.Object(
  {
    code: Type.String({ minLength: 1, maxLength: 64, description: 'Blanks and dashes do not matter' }),
    method: Type.Optional(
      Type.Enum([...METHODS], { description: 'What the code is of; `totp` when it is left out' }),
    ),
  },
  {
    ...CLOSED,
    examples: [{ code: '492039' }, { code: '7QKM-2X9T-B4HW-ZC6R-1NVD-8FYP', method: 'recovery_code' }],
  },
)

export const ConfirmBody = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 64, description: 'A code of the pending authenticator' }) },
  { ...CLOSED, examples: [{ code: '492039' }] },
)

export const SentCodeResponse = Type.Object(
  {
    sent_to: Type.String({ description: 'Masked: enough to know which mailbox to look into' }),
    expires_in: Seconds('Life of the code'),
    resend_after: Seconds('Until the next one may be asked for'),
  },
  {
    ...CLOSED,
    description: 'A code is on its way',
    examples: [{ sent_to: 'a***@e***.com', expires_in: 600, resend_after: 60 }],
  },
)

export const RecoveryCodeList = Type.Object(
  { recovery_codes: Type.Array(Type.String()) },
  {
    ...CLOSED,
    description: 'Shown this once',
    examples: [{ recovery_codes: ['7QKM-2X9T-B4HW-ZC6R-1NVD-8FYP'] }],
  },
)

const NullableTime = Type.Union([Timestamp, Type.Null()])

export const FactorsResponse = Type.Object(
  {
    totp: Type.Object({ active: Type.Boolean(), confirmed_at: NullableTime }, CLOSED),
    email: Type.Object({ active: Type.Boolean() }, CLOSED),
    recovery_codes: Type.Object({ remaining: Type.Integer(), generated_at: NullableTime }, CLOSED),
  },
  { ...CLOSED, description: 'What the account can prove itself with, beside its password' },
)
