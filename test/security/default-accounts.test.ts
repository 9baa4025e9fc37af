// The attack: the account that every installation has, with the password that is in its manual.
import t from 'tap'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { startService } from '../helpers/service/service.ts'

t.test('a new service has no account, and no usual name opens one', async (t) => {
  const service = await startService(t)
  t.strictSame(await service.db.selectFrom('accounts').select('id').execute(), [])
  for (const username of ['admin', 'root', 'administrator', 'keyturn', 'test', 'user', 'guest'])
    for (const password of [username, 'password', 'admin', 'changeme', 'keyturn'])
      t.equal(outcomeOf(await service.post('/login', { username, password })), '401 invalid_credentials')
})
