import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { CLOSED } from '../http/schemas.ts'
import { basePathOf } from '../platform/hosts.ts'
import type { Service } from '../service.ts'
import { VERSION } from '../version.ts'

const tags = ['Service']

/** The first probe does not wait until the compiler of answers is loaded. */
const plainJson = () => (body: unknown) => JSON.stringify(body)

/** Routes for operators, probes and tools. */
export const serviceRoutes: FastifyPluginAsyncTypebox<{
  room: Pick<Service, 'config' | 'readiness'>
}> = async (app, { room: { config, readiness } }) => {
  const basePath = basePathOf(config.issuer)
  app.get(
    '/',
    {
      schema: {
        operationId: 'getService',
        tags,
        summary: 'Get the name, the version and the links of the service',
        description: 'The links are paths of this service.',
        response: { 200: Root },
      },
    },
    async () => ({
      name: config.appName,
      version: VERSION,
      links: {
        ...(config.docs && { docs: `${basePath}/docs` }),
        openapi: `${basePath}/openapi.json`,
        jwks: `${basePath}/.well-known/jwks.json`,
        ready: `${basePath}/readyz`,
      },
    }),
  )

  app.get(
    '/livez',
    {
      serializerCompiler: plainJson,
      schema: {
        operationId: 'getLiveness',
        tags,
        summary: 'Check that the process is alive',
        description: 'Checks neither the database nor Redis.',
        response: { 200: Status },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      serializerCompiler: plainJson,
      schema: {
        operationId: 'getReadiness',
        tags,
        summary: 'Check that the service is ready for requests',
        description: 'Answers 503 while the database cannot store anything, and before the process ends.',
        response: { 200: Ready },
      },
    },
    async () => {
      const { checks, warnings } = await readiness.check()
      return { status: 'ok' as const, checks, ...(warnings.length > 0 && { warnings }) }
    },
  )

  const cacheControl = 'public, max-age=300'
  let json: string | undefined
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    json ??= JSON.stringify(app.swagger())
    return reply.type('application/json; charset=utf-8').header('cache-control', cacheControl).send(json)
  })

  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('application/yaml; charset=utf-8')
      .header('cache-control', cacheControl)
      .send(app.swagger({ yaml: true })),
  )
}

const Root = Type.Object(
  {
    name: Type.String(),
    version: Type.String({ description: 'The version of the service' }),
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
  { ...CLOSED, description: 'Name, version and links of the service' },
)

const Status = Type.Object({ status: Type.Literal('ok') }, { ...CLOSED, description: 'Alive' })

const Ready = Type.Object(
  {
    status: Type.Literal('ok'),
    checks: Type.Object(
      {
        database: Type.Literal('ok', { description: 'It stored a row within the last seconds' }),
        pooler: Type.Optional(
          Type.Literal('ok', {
            description: 'Only if there is a pooler in front of PostgreSQL, such as PgBouncer',
          }),
        ),
        redis: Type.Optional(
          Type.Union([Type.Literal('ok'), Type.Literal('unavailable')], {
            description:
              'Only if `REDIS_URL` is set. While Redis is unavailable, each process enforces its share of the limits',
          }),
        ),
      },
      CLOSED,
    ),
    warnings: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Problems for an operator to look at, although the service works',
      }),
    ),
  },
  { ...CLOSED, description: 'Ready to serve' },
)
