import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { accountSchemas } from '../accounts/schemas.ts'
import { auditSchemas } from '../audit/schemas.ts'
import { signInSchemas } from '../sign-in/schemas.ts'
import { tokenSchemas } from '../tokens/schemas.ts'
import { twoFactorSchemas } from '../two-factor/schemas.ts'
import { describeRoute } from './describe-route.ts'
import { ProblemSchema } from './schemas.ts'

const DESCRIPTION = `Accounts with a real second factor.

1. **POST /register** or **POST /login** answers with an *mfa token*.
2. The first time, **POST /2fa/setup** with that token gives a QR code for an authenticator app.
3. **POST /2fa/verify** swaps the mfa token and a code for an *access token*, a JWT that any service can check
   against \`/.well-known/jwks.json\`.

To try it here, put each token into the scheme of its name under *Authorize*. To see the QR code, choose
\`image/png\` as the media type of the answer of */2fa/setup*.`

/**
 * Swagger UI is served by this process alone. Its scripts and style sheets are files of this origin; it shows
 * pictures that it made itself (\`data:\` and \`blob:\`), and talks to nobody else.
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

/** The OpenAPI document, made from the schemas of the routes that are registered after this. */
export const openapi = fp(
  async function openapi(app: FastifyInstance, { docs }: { docs: boolean }) {
    for (const schema of [
      ProblemSchema,
      ...accountSchemas,
      ...auditSchemas,
      ...signInSchemas,
      ...tokenSchemas,
      ...twoFactorSchemas,
    ])
      app.addSchema(schema)

    await app.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Keyturn',
          version: '1',
          description: DESCRIPTION,
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/', description: 'This service' }],
        tags: [
          { name: 'Account', description: 'Making an account and looking at it' },
          { name: 'Sign in', description: 'The password' },
          { name: 'Second factor', description: 'Setting up an authenticator and answering with its codes' },
          { name: 'Sessions', description: 'Staying signed in, and leaving' },
          { name: 'Tokens', description: 'Renewing tokens, and what other services need to check them' },
          { name: 'Service', description: 'What operators and tools ask' },
        ],
        components: {
          securitySchemes: {
            mfaToken: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description: 'The `mfa_token` that `/register` and `/login` answer with',
            },
            accessToken: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description: 'The `access_token` that `/2fa/verify` answers with',
            },
          },
        },
      },
      hideUntagged: true,
      transform: ({ schema, url, route }) => ({ schema: describeRoute(schema, route), url }),
      refResolver: {
        buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`),
      },
    })

    if (docs)
      await app.register(fastifySwaggerUi, {
        routePrefix: '/docs',
        staticCSP: DOCS_CSP,
        // The page looks for its document relative to its address, query and all: without this, a link with
        // a query shows an error.
        uiHooks: {
          onRequest: async ({ url }, reply) => {
            const [path = '', query] = url.split('?', 2)
            if (query !== undefined) return reply.redirect(path, 303)
          },
        },
        theme: { title: 'Keyturn API' },
        uiConfig: {
          // Without the bar at the top, which is for looking at other people's documents.
          layout: 'BaseLayout',
          tryItOutEnabled: true,
          displayRequestDuration: true,
          defaultModelsExpandDepth: 0,
        },
      })
  },
  { name: 'openapi' },
)
