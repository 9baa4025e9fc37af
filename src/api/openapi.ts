import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { accountSchemas } from '../accounts/schemas.ts'
import { auditSchemas } from '../audit/schemas.ts'
import { clientSchemas } from '../clients/schemas.ts'
import { factors } from '../factors/registry.ts'
import { ConfirmedSchema, FactorSchema, SignInSchema } from '../factors/schemas.ts'
import { OAuthErrorSchema, ProblemSchema } from '../http/schemas.ts'
import { signInSchemas } from '../sign-in/schemas.ts'
import { tokenSchemas } from '../tokens/schemas.ts'
import { VERSION } from '../version.ts'
import { describeRoute } from './describe-route.ts'
import { carryTokens, followColourScheme, PAGE_STYLE, showAnswers } from './docs-page.ts'
import { addExamples, type OpenApiDocument, operationsOf, readExamples } from './examples.ts'
import { addProblemResponses } from './problem-responses.ts'

const describe = (basePath: string) => `Accounts with a real second factor.

1. **POST /register** or **POST /login** returns an *mfa token*.
2. The first time, **POST /2fa/setup** with that token returns a QR code for an authenticator app.
3. **POST /2fa/verify** exchanges the mfa token and a code for an *access token*, a JWT that any service can verify
   with the keys at \`/.well-known/jwks.json\`.

To try it here, execute the routes under *Start here* in order. This page fills in the tokens of each answer, and
keeps them until you close its tab. The examples are real answers. \`…\` stands for the rest of a long value.

[OpenAPI document](${basePath}/openapi.json) · [Problems](${basePath}/problems) · [Public keys](${basePath}/.well-known/jwks.json) ·
[Server metadata](${basePath}/.well-known/oauth-authorization-server)`

/** The way from nothing to an access token, in its order. */
const START_TAG = 'Start here'
const START_HERE = ['/register', '/login', '/2fa/setup', '/2fa/verify']

/**
 * Swagger UI comes from this process only. Its scripts and style sheets are files of this origin, it shows images
 * that it made itself (`data:` and `blob:`), and it connects to no other origin.
 */
const DOCS_CSP = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'connect-src': "'self'",
  'font-src': "'self'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data: blob:",
  'script-src': "'self'",
  'style-src': "'self'",
}

const bearer = (description: string) =>
  ({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description }) as const

/**
 * The OpenAPI document, made from the schemas of the routes that are registered after this.
 *
 * @param basePath the path that clients see before that of each route; empty for none.
 */
export const openapi = fp(
  async function openapi(app: FastifyInstance, { basePath, docs }: { basePath: string; docs: boolean }) {
    // Here and not by the rooms themselves: they refer to each other's, and a scope inherits only what was there before it.
    for (const schema of [
      ProblemSchema,
      OAuthErrorSchema,
      ...accountSchemas,
      ...auditSchemas,
      ...signInSchemas,
      ...tokenSchemas,
      ...clientSchemas,
      SignInSchema,
      ConfirmedSchema,
      FactorSchema,
      ...factors.flatMap(({ schemas = [] }) => schemas),
    ])
      app.addSchema(schema)

    await app.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Keyturn',
          version: VERSION,
          description: describe(basePath),
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: basePath || '/', description: 'This service' }],
        tags: [
          { name: START_TAG, description: 'From nothing to an access token, in this order' },
          { name: 'Account', description: 'Create, read and change an account' },
          { name: 'Second factor', description: 'Set up an authenticator app and verify its codes' },
          {
            name: 'Passkeys',
            description:
              'Passkeys and security keys. They need a page or an app, and do not work in Swagger UI',
          },
          { name: 'Sessions', description: 'List and end sessions' },
          { name: 'Tokens', description: 'Refresh tokens, and verify them in other services' },
          { name: 'Service', description: 'Health checks and links' },
        ],
        components: {
          securitySchemes: {
            mfaToken: bearer('The `mfa_token` from `/register` or `/login`'),
            accessToken: bearer('The `access_token` from `/2fa/verify`'),
            accountToken: bearer(
              'The `account_token` from `/2fa/verify` or `/2fa/step-up`: valid for one change to the account, within 300 s',
            ),
            clientSecret: {
              type: 'http',
              scheme: 'basic',
              description:
                'The id and the secret of a service client, as `keyturn clients create` prints them',
            },
            serviceToken: bearer('The `access_token` of a service client, from `/token`'),
          },
        },
      },
      hideUntagged: true,
      transform: ({ schema, url, route }) => ({ schema: describeRoute(schema, route), url }),
      transformObject: (made) => ('openapiObject' in made ? finished(made.openapiObject) : {}),
      refResolver: {
        buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`),
      },
    })

    if (docs)
      await app.register(fastifySwaggerUi, {
        routePrefix: '/docs',
        indexPrefix: basePath,
        staticCSP: DOCS_CSP,
        // The page finds its document relative to its own URL, including the query. Without this, a link with a query
        // would show an error.
        uiHooks: {
          onRequest: async ({ url }, reply) => {
            const [path = '', query] = url.split('?', 2)
            reply.header('cache-control', 'public, max-age=300')
            // The page asks for its document here; it is made and kept once.
            const [, form] = /^\/docs\/(json|yaml)$/.exec(path) ?? []
            if (form) return reply.redirect(`${basePath}/openapi.${form}`, 308)
            if (path.endsWith('/static/index.html')) return reply.redirect(`${basePath}/docs/`)
            if (query !== undefined) return reply.redirect(`${basePath}${path}`, 303)
          },
        },
        theme: { title: 'Keyturn API', css: [{ filename: 'page.css', content: PAGE_STYLE }] },
        uiConfig: {
          plugins: [carryTokens, showAnswers, followColourScheme],
          // Hides the bar at the top, which opens documents of other services.
          layout: 'BaseLayout',
          tryItOutEnabled: true,
          displayRequestDuration: true,
          defaultModelsExpandDepth: 0,
        },
      })
  },
  { name: 'openapi' },
)

/** The document as it is served. It shares no object with the schemas that the service works with. */
function finished<T extends object>(made: T): T {
  const document = made as T & OpenApiDocument
  const examples = readExamples()
  addExamples(document, examples)
  addProblemResponses(document, examples)
  letBodiesBeLeftOut(document)
  startHere(document)
  return withTypedEnums(document) as T
}

function startHere(document: OpenApiDocument): void {
  const first = START_HERE.map((path) => [path, document.paths[path] ?? {}] as const)
  for (const operation of first.flatMap(([, path]) => Object.values(path))) operation.tags = [START_TAG]
  document.paths = { ...Object.fromEntries(first), ...document.paths }
}

/** A body none of whose members is required need not be sent. The library calls every body required. */
function letBodiesBeLeftOut(document: OpenApiDocument): void {
  for (const { requestBody } of operationsOf(document)) {
    const schemas = Object.values(requestBody?.content ?? {}).map(({ schema }) => schema)
    if (requestBody && schemas.every((schema) => schema?.properties && !schema.required?.length))
      requestBody.required = false
  }
}

/**
 * A copy in which each enumeration has the type string, as generators of clients need it. TypeBox leaves the type
 * out, and so do the schemas of the service: with it, one wrong value would be reported as two faults.
 */
function withTypedEnums(part: unknown, name = ''): unknown {
  if (typeof part !== 'object' || part === null) return part
  if (name === 'example' || name === 'examples') return structuredClone(part)
  if (Array.isArray(part)) return part.map((item) => withTypedEnums(item))
  const copy = Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, withTypedEnums(value, key)]),
  )
  return Array.isArray(copy.enum) && copy.type === undefined ? { type: 'string', ...copy } : copy
}
