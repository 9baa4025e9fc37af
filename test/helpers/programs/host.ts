// An app with Keyturn on each database that it is given, the first one under /0: `node host.ts <database URL>…`
import Fastify from 'fastify'
import keyturn from '../../../src/index.ts'

const { PORT, SECRET_KEY = '', ARGON2_MEMORY_KIB, ARGON2_TIME } = process.env
// On a busy machine a plugin may take more than ten seconds to start.
const app = Fastify({ pluginTimeout: 0, logger: { level: 'error' } })
app.get('/readyz', async () => ({}))
for (const [index, databaseUrl] of process.argv.slice(2).entries())
  await app.register(keyturn, {
    prefix: `/${index}`,
    issuer: `https://id.example.com/${index}`,
    databaseUrl,
    secretKey: SECRET_KEY,
    argon2MemoryKib: Number(ARGON2_MEMORY_KIB),
    argon2Time: Number(ARGON2_TIME),
    rateLimit: false,
  })
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
