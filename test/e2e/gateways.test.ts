import t from 'tap'
import { newClient } from '../helpers/people/clients.ts'
import { gateways } from '../helpers/programs/gateways.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, login } from '../helpers/service/service.ts'

/** What stands before pages asks as a service client, each in its own way, and lets people in who have a live session. */

const [API, ORDERS] = ['https://api.example.com', 'https://orders.example.com']

for (const [name, { missing, start }] of Object.entries(gateways))
  t.test(`${name} lets in live tokens of its audience and no others`, { skip: missing }, async (t) => {
    const service = await startListening(t, { environment: { AUDIENCE: `${API},${ORDERS}` } })
    const client = await newClient(service, { audiences: [API] })
    const page = await start(t, service.issuer, client)
    const ask = async (token?: string) => {
      const answer = await fetch(page, token ? { headers: { authorization: `Bearer ${token}` } } : {})
      return answer.status === 200 ? answer.text() : answer.status
    }

    const ada = await enrol(service)
    t.equal(await ask(ada.accessToken), 'the page')
    t.equal(await ask(), 401, 'no token')
    t.equal(await ask(await login(service)), 401, 'an mfa token')
    t.equal(await ask(`${ada.accessToken.slice(0, -8)}AAAAAAAA`), 401, 'another signature')
    const ended = await enrol(service, 'ended')
    await service.post('/logout', { refresh_token: ended.refreshToken })
    t.equal(await ask(ended.accessToken), 401, 'of a session that has ended')
    const refresh = { refresh_token: ada.refreshToken, resource: ORDERS }
    const { body } = await service.post('/token/refresh', refresh)
    t.equal(await ask(body.access_token), 401, 'for another service')
    t.not(await service.db.selectFrom('client_secrets').select('last_used_at').executeTakeFirst(), null)
  })
