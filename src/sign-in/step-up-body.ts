import type { FastifySchemaCompiler } from 'fastify'
import { type TObject, Type } from 'typebox'
import { answerOf, validatorByMethod } from '../factors/answer-validator.ts'
import type { FactorAnswer } from '../factors/factor.ts'
import type { Factors } from '../factors/factors.ts'
import { factors as registry } from '../factors/registry.ts'
import { CLOSED } from '../http/schemas.ts'
import { PresentPassword } from './schemas.ts'
import type { Shown } from './step-up.ts'

const PASSWORD_METHOD = 'password'

const passwordAlone = Type.Object(
  { method: Type.Literal(PASSWORD_METHOD), password: PresentPassword },
  CLOSED,
)

const withPassword = (answer: TObject) =>
  Type.Object({ ...answer.properties, password: Type.Optional(PresentPassword) }, CLOSED)

/** An answer of a factor, perhaps with the password; or the password alone. A union on `method`. */
export const StepUpBody = Type.Union([...registry.map(({ answer }) => withPassword(answer)), passwordAlone])

export function stepUpValidator(factors: Factors): FastifySchemaCompiler<unknown> {
  return validatorByMethod(
    new Map([
      ...factors.all.map(({ method, answer }): [string, TObject] => [method, withPassword(answer)]),
      [PASSWORD_METHOD, passwordAlone],
    ]),
  )
}

/** What a validated body shows. */
export function stepUpOf(factors: Factors, body: unknown): Shown {
  const { password, ...answer } = body as FactorAnswer & { password?: string }
  if (password !== undefined && answer.method === PASSWORD_METHOD) return { password }
  return { ...answerOf(factors, answer), ...(password !== undefined && { password }) }
}
