import { Type } from 'typebox'
import { CLOSED } from '../http/schemas.ts'
import { factors } from './registry.ts'

/** The methods that can answer a challenge, by their names on the wire. */
export const METHODS: readonly string[] = factors.map(({ method }) => method)

/** The body of `/2fa/verify` and `/2fa/step-up`: a union on `method`. */
export const AnswerBody = Type.Union(
  factors.map(({ answer }) => answer),
  { examples: [{ code: '492039' }, { code: '7QKM-2X9T-B4HW-ZC6R-1NVD-8FYP', method: 'recovery_code' }] },
)

/** The answer of `GET /2fa`: a member for each factor. */
export const FactorsResponse = Type.Object(
  Object.fromEntries(factors.map(({ description: { member, schema } }) => [member, schema])),
  { ...CLOSED, description: 'The second factors of the account' },
)
