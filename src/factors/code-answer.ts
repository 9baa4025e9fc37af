import { type TObject, Type } from 'typebox'
import { CLOSED } from '../http/schemas.ts'

/** The method of an answer that does not name one. */
export const DEFAULT_METHOD = 'totp'

/** The member of the answer body for a factor that is answered with a code. */
export function codeAnswer(method: string): TObject {
  const name = Type.Literal(method)
  return Type.Object(
    {
      code: Type.String({ minLength: 1, maxLength: 64, description: 'Spaces and dashes are ignored' }),
      method: method === DEFAULT_METHOD ? Type.Optional(name) : name,
    },
    CLOSED,
  )
}
