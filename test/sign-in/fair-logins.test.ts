import t, { type Test } from 'tap'
import { at } from '../helpers/people/sessions.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { holdableHashes } from '../helpers/service/held-hashes.ts'
import { enrol, PASSWORD, type Service, startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

/** A crowd that asks for more password hashes than there are leaves others their turns and places. */

/** More than run and wait. */
const CROWD = 48

async function startBusy(t: Test, prepare: (service: Service) => unknown = () => {}) {
  const hashes = holdableHashes()
  const service = await startService(t, {
    environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: '16', MFA_POLICY: 'optional' },
    instruments: [hashes.instrument],
  })
  await prepare(service)
  hashes.hold()
  const answered: string[] = []
  const knock = async (ip: string, username: string, password = PASSWORD) => {
    const { status } = await at(service, ip).post('/login', { username, password })
    answered.push(`${username}: ${status}`)
    return status
  }
  return { service, hashes, knock, answered }
}

/** A crowd from as many networks of one provider, each at a name of its own. */
async function crowd({ knock, hashes, answered }: Awaited<ReturnType<typeof startBusy>>) {
  const all = Array.from({ length: CROWD }, (_, i) => knock(`2001:db8:${i}::1`, `unknown-${i}`))
  await eventually('the rest of the crowd is refused', () => answered.length === CROWD - 17)
  await hashes.until({ running: 1, waiting: 16 })
  return all
}

t.test('a neighbour of a crowd from one provider signs in', async (t) => {
  const busy = await startBusy(t, (service) => enrol(service))
  const all = await crowd(busy)
  const neighbour = busy.knock('2001:db9::1', 'ada')
  await eventually('one of the crowd has lost its place', () => busy.answered.length === CROWD - 16)
  busy.hashes.release()
  t.equal(await neighbour, 200)
  t.equal((await Promise.all(all)).filter((status) => status === 401).length, 16)
})

t.test(
  'so does who has signed in from a network of that provider before, and no stranger there',
  async (t) => {
    const home = '2001:db8:77::1'
    const busy = await startBusy(t, (service) => enrol(at(service, home) as Service))
    const all = await crowd(busy)
    t.equal(await busy.knock('2001:db8:99::1', 'ada'), 503, 'whose account it is not at home there')
    t.equal(await busy.knock(home, 'grace'), 503, 'nor is another name')
    const atHome = busy.knock(home, 'ada')
    await eventually('one of the crowd has lost its place', () => busy.answered.length === CROWD - 14)
    busy.hashes.release()
    t.equal(await atHome, 200)
    await Promise.all(all)
  },
)

t.test('logins that are refused among others that are at home write nothing', async (t) => {
  const home = '192.0.2.1'
  const busy = await startBusy(t, (service) => enrol(at(service, home) as Service))
  const waiting = Array.from({ length: 17 }, () => busy.knock(home, 'ada'))
  await busy.hashes.until({ running: 1, waiting: 16 })
  const counted = async () => {
    const rows = await busy.service.db.selectFrom('failure_counters').select('failures').execute()
    return rows.map(({ failures }) => failures)
  }
  await eventually('all who have a place are counted', async () => (await counted())[0] === 17)
  const writes: string[] = []
  const isWrite = /^(insert|update|delete)/
  const late = await watchingStatements(
    busy.service.databaseUrl,
    (text) => void (isWrite.test(text) && writes.push(text)),
    () => Promise.all(Array.from({ length: 8 }, () => busy.knock(home, 'ada'))),
  )
  t.strictSame([...new Set(late), ...writes, ...(await counted())], [503, 17])
  busy.hashes.release()
  t.strictSame(new Set(await Promise.all(waiting)), new Set([200]))
})

t.test('a hash of another program keeps no one waiting', async (t) => {
  const bcrypt = '$2b$04$YP0G9BTRzPhAMQnxbcbJl.Rg6wdQjudSWPMyPAeBh7L8qKJTR82Gq'
  const busy = await startBusy(t, async (service) => {
    await enrol(service)
    await enrol(service, 'grace')
    await service.db
      .updateTable('accounts')
      .set({ password_hash: bcrypt })
      .where('username', '=', 'grace')
      .execute()
  })
  const slow = busy.knock('192.0.2.1', 'grace', 'wrong password')
  const ours = busy.knock('198.51.100.1', 'ada')
  await busy.hashes.until({ running: 2, waiting: 0 })
  const another = busy.knock('192.0.2.1', 'grace', 'wrong password')
  await busy.hashes.until({ running: 2, waiting: 1 })
  busy.hashes.release()
  t.strictSame(await Promise.all([slow, ours, another]), [401, 200, 401])
})
