// Clean-up, copies and resealing loop over what the rooms say of their tables: a table without a description would be lost.
import t from 'tap'
import { tables } from '../../src/tables.ts'
import { tablesOf } from '../helpers/service/database.ts'
import { startService } from '../helpers/service/service.ts'

t.test('every table is described', async (t) => {
  const { db } = await startService(t)
  t.strictSame(tables.map(({ name }) => name).sort(), (await tablesOf(db)).sort())
})

t.test('each description names columns that are there', async (t) => {
  const { db } = await startService(t)
  const found = new Map((await db.introspection.getTables()).map(({ name, columns }) => [name, columns]))
  for (const { name, key, sealed, expiries = [] } of tables) {
    const columns = (found.get(name) ?? []).map((column) => column.name)
    const named = [...key, ...(sealed ? ['id', sealed.column] : []), ...expiries.map(({ column }) => column)]
    t.strictSame(
      named.filter((column) => !columns.includes(column)),
      [],
      name,
    )
  }
})
