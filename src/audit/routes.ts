import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Selectable } from 'kysely'
import { accessPrincipalOf } from '../http/principal.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { AuditEventsTable } from '../platform/tables.ts'
import { EventPage, EventQuery } from './schemas.ts'
import { listAuditEvents } from './store.ts'

const DEFAULT_LIMIT = 50

/** Who the operator was is not the owner's business; that it was one is. */
function ownersView({ at, account_id: _, ...event }: Selectable<AuditEventsTable>) {
  const { actor, user_agent } = event
  return { ...event, at: rfc3339(at), user_agent: actor === 'operator' ? '' : user_agent }
}

/** For an access token. */
export const eventRoutes: FastifyPluginAsyncTypebox<{ db: Db }> = async (app, { db }) => {
  app.get(
    '/me/events',
    {
      config: { problems: ['validation_failed'] },
      schema: {
        operationId: 'listEvents',
        tags: ['Account'],
        summary: 'What happened to the account: its own audit trail',
        querystring: EventQuery,
        response: { 200: EventPage },
      },
    },
    async (request) => {
      const { account } = accessPrincipalOf(request)
      const { before, limit = String(DEFAULT_LIMIT) } = request.query
      const rows = await listAuditEvents(db, account.id, before, Number(limit) + 1)
      const page = rows.slice(0, Number(limit))
      return {
        events: page.map(ownersView),
        next: rows.length > page.length ? (page.at(-1)?.id ?? null) : null,
      }
    },
  )
}
