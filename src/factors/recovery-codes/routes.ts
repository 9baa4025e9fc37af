import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { callerOf } from '../../http/caller.ts'
import { CLOSED } from '../../http/schemas.ts'
import type { FactorsRoom } from '../room.ts'
import { renewRecoveryCodes } from './renew.ts'

const RecoveryCodeList = Type.Object(
  { recovery_codes: Type.Array(Type.String()) },
  { ...CLOSED, description: 'The new recovery codes; they are not shown again' },
)

/** For an account token. */
export const recoveryCodeRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.post(
    '/2fa/recovery-codes',
    {
      config: { limit: 'codes', problems: ['not_enrolled'] },
      schema: {
        operationId: 'renewRecoveryCodes',
        tags: ['Second factor'],
        summary: 'Replace the recovery codes with ten new ones',
        description: 'At most five times an hour.',
        response: { 200: RecoveryCodeList },
      },
    },
    async (request) => ({
      recovery_codes: await renewRecoveryCodes(room, request.principal('account'), callerOf(request)),
    }),
  )
}
