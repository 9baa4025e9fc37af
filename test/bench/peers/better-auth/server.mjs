// Better Auth with the plugins that do what the product does, on the same database with the same durability.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { twoFactor } from 'better-auth/plugins/two-factor'
import BetterSqlite3 from 'better-sqlite3'

const { PORT, DATABASE_FILE, PASSWORD_HASH } = process.env
const database = new BetterSqlite3(DATABASE_FILE)
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')

async function argon2() {
  const { hash, verify } = await import('@node-rs/argon2')
  const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
  return {
    hash: (password) => hash(password, cost),
    verify: ({ hash: phc, password }) => verify(phc, password),
  }
}

const options = {
  database,
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: 'only for the benchmark, where nothing is secret',
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  emailAndPassword: {
    enabled: true,
    ...(PASSWORD_HASH === 'argon2' && { password: await argon2() }),
  },
  plugins: [twoFactor(), jwt()],
}
await (await getMigrations(options)).runMigrations()
createServer(toNodeHandler(betterAuth(options))).listen(Number(PORT), '127.0.0.1', () =>
  process.send?.('ready'),
)
