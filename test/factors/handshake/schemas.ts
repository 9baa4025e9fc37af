import { Type } from 'typebox'
import { CLOSED } from '../../../src/http/schemas.ts'

export const HandshakeBody = Type.Object(
  {
    method: Type.Literal('handshake'),
    response: Type.Object(
      { key_id: Type.String(), challenge: Type.String(), signature: Type.String() },
      CLOSED,
    ),
  },
  CLOSED,
)

export const PendingHandshakeSchema = Type.Object(
  { key_id: Type.String(), key: Type.String(), challenge: Type.String(), expires_in: Type.Integer() },
  { ...CLOSED, $id: 'PendingHandshake' },
)
