import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Readiness } from './readiness.ts'
import { CLOSED } from './schemas.ts'

const tags = ['Service']

/** What operators, probes and tools ask. */
export const serviceRoutes: FastifyPluginAsyncTypebox<{
  name: string
  docs: boolean
  readiness: Pick<Readiness, 'check'>
}> = async (app, { name, docs, readiness }) => {
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
        summary: 'Whether requests should be sent here',
        response: { 200: Ready },
      },
    },
    async () => {
      const { checks, warnings } = await readiness.check()
      return { status: 'ok' as const, checks, ...(warnings.length > 0 && { warnings }) }
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
    checks: Type.Object(
      {
        database: Type.Literal('ok'),
        redis: Type.Optional(
          Type.Union([Type.Literal('ok'), Type.Literal('unavailable')], {
            description:
              'Where `REDIS_URL` is set. While it is away, each process keeps to its share of the limits',
          }),
        ),
      },
      CLOSED,
    ),
    warnings: Type.Optional(
      Type.Array(Type.String(), {
        description: 'What an operator should look at, although the service works',
      }),
    ),
  },
  { ...CLOSED, description: 'They should: the database answers, and the process is not about to end' },
)
