import { DatabaseError } from 'pg'
import t from 'tap'
import { ConnectionError, isRefusal } from '../../src/platform/database-errors.ts'

/** What PostgreSQL says, by its code: the words and the severity come in the language of the server. */
function said(code: string, severity: string): DatabaseError {
  return Object.assign(new DatabaseError('…', 1, 'error'), { code, severity })
}

t.test('what the server refuses is undone, and the connection is good', async (t) => {
  for (const severity of ['ERROR', 'FEHLER', 'ERREUR'])
    for (const code of ['40001', '40P01', '55P03', '57014', '23505'])
      t.ok(isRefusal(said(code, severity)), code)
})

t.test('after a goodbye, or a commit of which the server knows no end, nothing is certain', async (t) => {
  for (const severity of ['FATAL', 'ERROR', 'FATALE'])
    for (const code of ['57P01', '57P02', '57P03', '08006', '08007', '40003', '25P03', '58030', 'XX000'])
      t.notOk(isRefusal(said(code, severity)), code)
  t.notOk(isRefusal(said('53100', 'PANIC')))
  t.notOk(isRefusal(new ConnectionError('lost')))
})
