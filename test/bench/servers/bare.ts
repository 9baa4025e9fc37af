/** What a route costs at the least: Fastify and, as the product uses it, SQLite; nothing else. */
import BetterSqlite3 from 'better-sqlite3'
import Fastify from 'fastify'

const sqlite = new BetterSqlite3(process.env.DATABASE_FILE)
sqlite.pragma('journal_mode = WAL')
sqlite.pragma('synchronous = FULL')
sqlite.exec('create table items (id integer primary key, text text not null, hits integer not null)')
const insert = sqlite.prepare("insert into items values (?, 'something of the length of a short row', 0)")
sqlite.transaction(() => {
  for (let id = 0; id < 10_000; id += 1) insert.run(id)
})()
const read = sqlite.prepare('select * from items where id = ?')
const write = sqlite.prepare('update items set hits = hits + 1 where id = ?')

const answer = {
  type: 'object',
  properties: { id: { type: 'integer' }, text: { type: 'string' }, hits: { type: 'integer' } },
}
const body = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }

const app = Fastify({ logger: false })
app.get('/bare', { schema: { response: { 200: answer } } }, async () => ({ id: 1, text: 'text', hits: 0 }))
app.post<{ Body: { id: number } }>(
  '/read',
  { schema: { body, response: { 200: answer } } },
  async (request) => read.get(request.body.id),
)
app.post<{ Body: { id: number } }>(
  '/write',
  { schema: { body, response: { 200: answer } } },
  async (request) => {
    const item = read.get(request.body.id)
    write.run(request.body.id)
    return item
  },
)
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
