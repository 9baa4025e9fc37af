import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { unavailable } from '../errors.ts'
import { CLOSED } from './schemas.ts'

const tags = ['Service']

/** What operators, probes and tools ask. */
export const serviceRoutes: FastifyPluginAsyncTypebox<{
  name: string
  docs: boolean
  /** Rejects while the service cannot do its work. */
  checkReady: () => Promise<void>
}> = async (app, { name, docs, checkReady }) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getService',
        tags,
        summary: 'Name and links',
        response: { 200: Root },
      },
    },
    async () => ({
      name,
      links: {
        ...(docs && { docs: '/docs' }),
        openapi: '/openapi.json',
        jwks: '/.well-known/jwks.json',
        ready: '/readyz',
      },
    }),
  )

  app.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        tags,
        summary: 'Whether the process runs',
        response: { 200: Status },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags,
        summary: 'Whether requests can be served: the database answers',
        response: { 200: Ready },
      },
    },
    async () => {
      await checkReady().catch((error) => {
        throw unavailable(error)
      })
      return { status: 'ok' as const, checks: { database: 'ok' as const } }
    },
  )

  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger(), null, 2)),
  )

  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml; charset=utf-8').send(app.swagger({ yaml: true })),
  )
}

const Root = Type.Object(
  {
    name: Type.String({ examples: ['Keyturn'] }),
    links: Type.Object(
      {
        docs: Type.Optional(Type.String({ description: 'Swagger UI' })),
        openapi: Type.String(),
        jwks: Type.String(),
        ready: Type.String(),
      },
      CLOSED,
    ),
  },
  { ...CLOSED, description: 'The service and where to go from here' },
)

const Status = Type.Object({ status: Type.Literal('ok') }, { ...CLOSED, description: 'It does' })

const Ready = Type.Object(
  {
    status: Type.Literal('ok'),
    checks: Type.Object({ database: Type.Literal('ok') }, CLOSED),
  },
  { ...CLOSED, description: 'They can' },
)
