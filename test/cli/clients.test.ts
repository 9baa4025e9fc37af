import t from 'tap'
import { basic, postForm } from '../helpers/people/clients.ts'
import { startOperated } from '../helpers/programs/operated-service.ts'

t.test(
  'an operator makes a service client, sees when it was used, and gives it another secret',
  async (t) => {
    const { service, keyturn } = await startOperated(t)
    const made = await keyturn('clients', 'create', 'orders', '--scope', 'introspect')
    t.equal(made.code, 0)
    const [, id = ''] = /client_id +(service_\S+)$/m.exec(made.stdout) ?? []
    const [, secret = ''] = /client_secret +(keyturn_\S+)$/m.exec(made.stdout) ?? []
    const shown = { id, secret }
    const gets = async (secret: string) =>
      (await postForm(service, '/token', { grant_type: 'client_credentials' }, basic({ id, secret }))).status
    t.equal(await gets(shown.secret), 200)

    const [again, elsewhere, scope, name] = await Promise.all([
      keyturn('clients', 'create', 'orders'),
      keyturn('clients', 'create', 'billing', '--audience', 'https://billing.example.com'),
      keyturn('clients', 'create', 'billing', '--scope', 'admin'),
      keyturn('clients', 'create', 'a b'),
    ])
    t.match(again, { code: 1, stderr: /There is a client orders already/ })
    t.match(elsewhere, { code: 2, stderr: /AUDIENCE does not have https:\/\/billing\.example\.com/ })
    t.match(scope, { code: 2, stderr: /The only scope is introspect/ })
    t.match(name, { code: 2, stderr: /A name has/ })

    const [listed, one] = await Promise.all([
      keyturn('clients', 'list'),
      keyturn('clients', 'show', 'orders'),
    ])
    t.match(listed.stdout, new RegExp(`orders +${id} +enabled +introspect +https://\\S+`))
    t.match(one.stdout, /secret +made \S+, last used \d{4}-/)
    t.notMatch(listed.stdout + one.stdout, secret)

    const { client_secret: next } = await keyturn.json('clients', 'rotate', id)
    t.strictSame([await gets(secret), await gets(next)], [200, 200], 'both are good')
    const third = await keyturn('clients', 'rotate', 'orders')
    t.match(third, {
      code: 1,
      stdout: '',
      stderr:
        'orders has two secrets already. End the older one first: keyturn clients rotate orders --end-old\n',
    })
    t.strictSame([await gets(secret), await gets(next)], [200, 200], 'both are good still')
    t.match(await keyturn('clients', 'rotate', 'orders', '--end-old'), { code: 2, stderr: /--yes/ })
    t.match(await keyturn.json('clients', 'rotate', 'orders', '--end-old', '--yes'), { ended: 1 })
    t.strictSame([await gets(secret), await gets(next)], [401, 200])
    t.match(await keyturn('clients', 'show', 'nobody'), { code: 1, stderr: /There is no client "nobody"/ })

    const events = await keyturn.events('--actor', 'operator')
    t.strictSame(
      events.map(({ event, method }) => [event, method]),
      ['client_created', 'client_secret_rotated', 'client_secret_ended'].map((event) => [event, id]),
    )
  },
)
