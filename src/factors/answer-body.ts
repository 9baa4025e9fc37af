import { Type } from 'typebox'
import { CLOSED, ref } from '../http/schemas.ts'
import { factors } from './registry.ts'
import { FactorSchema } from './schemas.ts'

/** The methods that can answer a challenge, by their names on the wire. */
export const METHODS: readonly string[] = factors.map(({ method }) => method)

/** The body of `/2fa/verify` and `/2fa/step-up`: a union on `method`. */
export const AnswerBody = Type.Union(factors.map(({ answer }) => answer))

const ownMembers = factors.flatMap(({ description }) =>
  description ? [[description.member, description.schema] as const] : [],
)

/** The answer of `GET /2fa`: the factors, and what some kinds have to say as well. */
export const FactorsResponse = Type.Object(
  { factors: Type.Array(ref(FactorSchema)), ...Object.fromEntries(ownMembers) },
  { ...CLOSED, description: 'The second factors of the account' },
)
