import { Type } from 'typebox'
import { CLOSED, Seconds } from '../../http/schemas.ts'

export const SentCodeResponse = Type.Object(
  {
    sent_to: Type.String({ description: 'The email address, masked' }),
    expires_in: Seconds('Lifetime of the code in seconds'),
    resend_after: Seconds('Seconds until another code can be requested'),
  },
  { ...CLOSED, description: 'The code is on its way' },
)

export const SwitchBody = Type.Object({ enabled: Type.Boolean() }, CLOSED)
