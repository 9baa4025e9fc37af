import t from 'tap'
import { burst, tally } from '../helpers/requests/burst.ts'
import { PASSWORD, startService } from '../helpers/service/service.ts'

t.test('sign-ins of one name at once do not wait for each other in a circle', async (t) => {
  const service = await startService(t)
  // The hashes of a name's two counters decide which of them an index has first.
  for (const username of ['ada', 'grace', 'edsger', 'alan', 'barbara', 'donald']) {
    await service.post('/register', { username, password: PASSWORD })
    const answers = await burst(9, () => service.post('/login', { username, password: PASSWORD }))
    t.strictSame(tally(answers), { 200: 9 }, username)
  }
})
