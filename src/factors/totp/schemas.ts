import { Type } from 'typebox'
import { CLOSED, NumericCode, Seconds } from '../../http/schemas.ts'
import { EnrolmentCode, FactorName } from '../schemas.ts'

export const EnrolmentSchema = Type.Object(
  {
    secret: Type.String({ description: 'Base32, 160 bits, for manual entry' }),
    otpauth_uri: Type.String({ description: 'The key URI that authenticator apps read' }),
    qr_png: Type.String({ description: 'The key URI as a QR code: a PNG in a data URL' }),
    expires_in: Seconds('Seconds until the secret expires, unless a code confirms it'),
  },
  { ...CLOSED, $id: 'Enrolment', description: 'A pending authenticator' },
)

export const SetupBody = Type.Object(
  {
    name: Type.Optional(FactorName),
    replaces: Type.Optional(
      Type.String({
        maxLength: 64,
        description:
          'With an account token: the id of the authenticator that is removed when this one is confirmed',
      }),
    ),
    enrolment_code: EnrolmentCode,
  },
  CLOSED,
)

export const ConfirmBody = Type.Object({ code: NumericCode }, CLOSED)
