/**
 * The libraries that the service is built of, started as it starts them, with one route that does nothing. In plain
 * JavaScript: the service loads nothing that strips types, since its cache has the result.
 */
import nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

nodeModule.enableCompileCache(
  fileURLToPath(new URL('../../../node_modules/.cache/libraries', import.meta.url)),
)
const { default: fastifyJwt } = await import('@fastify/jwt')
const { default: fastifyRateLimit } = await import('@fastify/rate-limit')
const { default: fastifySwagger } = await import('@fastify/swagger')
const { default: fastifySwaggerUi } = await import('@fastify/swagger-ui')
const { hash } = await import('@node-rs/argon2')
const { default: BetterSqlite3 } = await import('better-sqlite3')
const { default: Fastify } = await import('fastify')
const { Kysely, SqliteDialect, sql } = await import('kysely')
const { Type } = await import('typebox')

const db = new Kysely({ dialect: new SqliteDialect({ database: new BetterSqlite3(':memory:') }) })
await sql`select 1`.execute(db)
await hash('correct horse battery staple')

const app = Fastify({ logger: { level: 'warn' } })
await app.register(fastifyJwt, { secret: 'not a secret, since nothing is signed here' })
await app.register(fastifyRateLimit)
await app.register(fastifySwagger)
await app.register(fastifySwaggerUi)
const answer = Type.Object({ id: Type.Integer() })
app.get('/bare', { schema: { response: { 200: answer } } }, async () => ({ id: 1 }))
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
nodeModule.flushCompileCache()
