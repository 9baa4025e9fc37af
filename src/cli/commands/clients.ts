import type { Command } from 'commander'
import { INTROSPECT } from '../../clients/client.ts'
import { changeClient, createClient, endOldSecrets, listClients, rotateSecret } from '../../clients/manage.ts'
import type { Service } from '../../service.ts'
import { SERVICE_PREFIX } from '../../values/service-client-id.ts'
import { operatorCaller } from '../operator.ts'
import { withExistingService, withService } from '../surroundings.ts'
import { answer, CommandFailed, columns, confirm, Misused } from '../terminal.ts'

const CREATE_EXAMPLES = `
With the scope ${INTROSPECT} it can ask POST /token/introspect about tokens for its audiences; without it, it can only get tokens
for itself. The secret is printed only this once.

Examples:
  keyturn clients create gateway --scope ${INTROSPECT}
  keyturn clients create orders --audience https://orders.example.com \\
    --scope ${INTROSPECT}`

const ROTATE_EXAMPLES = `
The old secret stays good until you end it, so that the service can be restarted with the new one first. A client has at
most two secrets. If a secret has leaked, run keyturn clients disable before these two and keyturn clients enable after
them: tokens that were issued for the old secret would stay valid otherwise.

Examples:
  keyturn clients rotate orders
  keyturn clients rotate orders --end-old`

interface CreateOptions {
  audience?: string[]
  scope?: string
}

const CHANGES = [
  ['disable', 'disable a client: its secrets and tokens are refused', (name: string) => `Disable ${name}?`],
  ['enable', 'enable a client again: its secrets work again, its old tokens do not', undefined],
  ['delete', 'delete a client and its secrets', (name: string) => `Delete ${name} for good?`],
] as const

export function registerClients(program: Command): void {
  const clients = program
    .command('clients')
    .description('manage services that sign in with a secret of their own')

  clients
    .command('create')
    .description('create a service client and print its secret')
    .argument('<name>', 'a name for people')
    .option(
      '--audience <audience...>',
      'audiences whose tokens it sees, out of AUDIENCE; by default the first',
    )
    .option('--scope <scope>', `what it may do: ${INTROSPECT}`)
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (name: string, { audience, scope }: CreateOptions, command: Command) => {
      if (!/^[\w.-]{1,64}$/.test(name) || name.startsWith(SERVICE_PREFIX))
        throw new Misused(
          `A name has 1 to 64 characters of A-Z a-z 0-9 . _ - and does not begin with ${SERVICE_PREFIX}, as ids do.`,
        )
      if (scope !== undefined && scope !== INTROSPECT) throw new Misused(`The only scope is ${INTROSPECT}.`)
      await withService(async (service) => {
        const { audiences: all } = service
        const audiences = audience ?? [all[0]]
        const unknown = audiences.find((one) => !all.includes(one))
        if (unknown !== undefined)
          throw new Misused(`AUDIENCE does not have ${unknown}. It has ${all.join(', ')}.`)
        const scopes = scope ? [scope] : []
        const made = await createClient(service, { name, audiences, scopes }, operatorCaller())
        if (!made) throw new CommandFailed(`There is a client ${name} already.`)
        const text = `The client ${name} was created. Its secret is shown only this once:`
        tell(command, made, text, { name, audiences, scopes })
      })
    })

  const onOne = (name: string, description: string, help = `\nExample:\n  keyturn clients ${name} orders`) =>
    clients
      .command(name)
      .description(description)
      .argument('<client>', 'name or id')
      .addHelpText('after', help)

  onOne('rotate', 'give a client a new secret, or end the old one', ROTATE_EXAMPLES)
    .option('--end-old', 'end the old secret instead of making a new one')
    .action((client: string, { endOld }: { endOld?: true }, command: Command) =>
      withExistingService(async (service) => {
        const { id, name } = await findOne(service, client)
        if (!endOld) {
          const secret = await rotateSecret(service, id, operatorCaller())
          if (!secret)
            throw new CommandFailed(
              `${name} has two secrets already. End the older one first: keyturn clients rotate ${name} --end-old`,
            )
          const text = `The new secret of ${name} is shown only this once. The old one stays good:`
          return tell(command, { id, secret }, text)
        }
        await confirm(command, `End the old secret of ${name}?`)
        const ended = await endOldSecrets(service, id, operatorCaller())
        const text = ended ? `The old secret of ${name} has ended.` : `${name} has only one secret.`
        answer(command, { json: { client_id: id, ended }, text })
      }),
    )

  clients
    .command('list')
    .description('list service clients, sorted by name')
    .addHelpText('after', '\nExample:\n  keyturn clients list')
    .action((_options, command: Command) =>
      withExistingService(async (service) => {
        const json = await listClients(service.db)
        const rows = json.map(({ id, name, disabled_at, scopes, audiences }) => [
          ...[name, id, disabled_at ? 'disabled' : 'enabled', scopes.join(' ') || '-', audiences.join(' ')],
        ])
        const header = ['NAME', 'CLIENT ID', 'STATE', 'SCOPES', 'AUDIENCES']
        answer(command, { json, text: columns([header, ...rows]) })
      }),
    )

  onOne('show', 'show a client and when its secrets were last used').action(
    (client: string, _options, command: Command) =>
      withExistingService(async (service) => {
        const { secrets, ...one } = await findOne(service, client)
        const lines = Object.entries(one).map(([name, value]) => [name, String(value ?? '') || '-'])
        for (const { created_at, last_used_at } of secrets)
          lines.push(['secret', `made ${created_at}, last used ${last_used_at ?? 'never'}`])
        answer(command, { json: { ...one, secrets }, text: columns(lines) })
      }),
  )

  for (const [change, description, question] of CHANGES)
    onOne(change, description).action((client: string, _options, command: Command) =>
      withExistingService(async (service) => {
        const { id, name } = await findOne(service, client)
        if (question) await confirm(command, question(name))
        const changed = await changeClient(service, id, change, operatorCaller())
        const text = `The client ${name} ${changed ? 'is' : 'was'} ${change}d${changed ? '' : ' already'}.`
        answer(command, { json: { client_id: id, name, done: text }, text })
      }),
    )
}

/** Prints a new secret. */
function tell(
  command: Command,
  { id, secret }: { id: string; secret: string },
  text: string,
  more: object = {},
) {
  answer(command, {
    json: { client_id: id, client_secret: secret, ...more },
    text: `${text}\n\n    client_id      ${id}\n    client_secret  ${secret}`,
  })
}

async function findOne({ db }: Service, idOrName: string) {
  const [client] = await listClients(db, idOrName)
  if (client) return client
  throw new CommandFailed(`There is no client "${idOrName}".`)
}
