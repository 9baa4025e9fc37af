import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { readPage } from '../http/paging.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { listEvents } from './list-events.ts'
import { EventPage, EventQuery } from './schemas.ts'
import type { AuditEventRow } from './tables.ts'

/** Tells the owner that it was an operator, but not which one. */
function ownersView({ at, account_id: _, ...event }: AuditEventRow) {
  const { actor, user_agent } = event
  return { ...event, at: rfc3339(at), user_agent: actor === 'operator' ? '' : user_agent }
}

/** For an access token. */
export const eventRoutes: FastifyPluginAsyncTypebox<{ room: { db: Db } }> = async (app, { room: { db } }) => {
  app.get(
    '/me/events',
    {
      config: { problems: ['validation_failed'] },
      schema: {
        operationId: 'listEvents',
        tags: ['Account'],
        summary: 'List the events of the account: its audit trail',
        description: 'The newest first.',
        querystring: EventQuery,
        response: { 200: EventPage },
      },
    },
    async (request) => {
      const { account } = request.principal('access')
      const { before } = request.query
      const { page, next } = await readPage(
        request.query,
        (limit) => listEvents(db, { accountId: account.id, before, limit }),
        ({ id }) => id,
      )
      return { events: page.map(ownersView), next }
    },
  )
}
