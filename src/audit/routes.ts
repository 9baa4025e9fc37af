import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { accessPrincipalOf } from '../http/principal.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { EventPage, EventQuery } from './schemas.ts'
import { listAuditEvents } from './store.ts'

const DEFAULT_LIMIT = 50

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
        events: page.map(({ at, account_id: _, ...event }) => ({ ...event, at: rfc3339(at) })),
        next: rows.length > page.length ? (page.at(-1)?.id ?? null) : null,
      }
    },
  )
}
