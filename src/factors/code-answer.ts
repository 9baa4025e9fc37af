import { type TObject, type TString, Type } from 'typebox'
import { CLOSED, NumericCode } from '../http/schemas.ts'

/** The method of an answer that does not name one. */
export const DEFAULT_METHOD = 'totp'

/** The member of the answer body for a factor that is answered with a code. */
export function codeAnswer(method: string, code: TString = NumericCode): TObject {
  const name = Type.Literal(method)
  return Type.Object(
    {
      code,
      method: method === DEFAULT_METHOD ? Type.Optional(name) : name,
    },
    CLOSED,
  )
}
