import type { Command } from 'commander'
import { INTROSPECT } from '../../clients/client.ts'
import { changeClient, createClient, endOldSecrets, listClients, rotateSecret } from '../../clients/manage.ts'
import type { Service } from '../../service.ts'
import { SERVICE_PREFIX } from '../../values/service-client-id.ts'
import { operatorCaller } from '../operator.ts'
import { withExistingService, withService } from '../surroundings.ts'
import { answer, CommandFailed, columns, confirm, Misused } from '../terminal.ts'

const CREATE_EXAMPLES = `
With the scope ${INTROSPECT} it asks POST /token/introspect about the tokens of its audience; without it, it only gets tokens for
itself. The secret is printed this once.

Examples:
  keyturn clients create gateway --scope ${INTROSPECT}
  keyturn clients create orders --audience https://orders.example.com --scope ${INTROSPECT}`

const ROTATE_EXAMPLES = `
The secret before the new one stays good until it is ended, so that the service can be restarted with the new one first.
For a secret that leaked: both, one after the other.

Examples:
  keyturn clients rotate orders
  keyturn clients rotate orders --end-old`

interface CreateOptions {
  audience?: string[]
  scope?: string
}

const CHANGES = [
  ['disable', 'refuse its secrets and its tokens from now on', (name: string) => `Disable ${name}?`],
  ['enable', 'take its secrets again; the tokens of before stay dead', undefined],
  ['delete', 'delete it and its secrets for good', (name: string) => `Delete ${name} for good?`],
] as const

export function registerClients(program: Command): void {
  const clients = program.command('clients').description('services that sign in with a secret of their own')

  clients
    .command('create')
    .description('make a service client, and print its secret')
    .argument('<name>', 'a name for people')
    .option(
      '--audience <audience...>',
      'whose tokens it sees, of those in AUDIENCE; the first one by default',
    )
    .option('--scope <scope>', `what it may do here: ${INTROSPECT}`)
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (name: string, { audience, scope }: CreateOptions, command: Command) => {
      if (!/^[\w.-]{1,64}$/.test(name) || name.startsWith(SERVICE_PREFIX))
        throw new Misused(
          `A name has 1 to 64 of A-Z a-z 0-9 . _ - and does not begin as ids do: ${SERVICE_PREFIX}`,
        )
      if (scope !== undefined && scope !== INTROSPECT) throw new Misused(`There is one scope: ${INTROSPECT}.`)
      await withService(async (service) => {
        const { audiences: all } = service
        const audiences = audience ?? [all[0]]
        const unknown = audiences.find((one) => !all.includes(one))
        if (unknown !== undefined)
          throw new Misused(`${unknown} is not in AUDIENCE, which has ${all.join(', ')}.`)
        const scopes = scope ? [scope] : []
        const made = await createClient(service, { name, audiences, scopes }, operatorCaller())
        if (!made) throw new CommandFailed(`There is a client ${name} already.`)
        const text = `The client ${name} is made. Its secret is shown this once:`
        tell(command, made, text, { name, audiences, scopes })
      })
    })

  const onOne = (name: string, description: string, help = `\nExample:\n  keyturn clients ${name} orders`) =>
    clients
      .command(name)
      .description(description)
      .argument('<client>', 'name or id')
      .addHelpText('after', help)

  onOne('rotate', 'give a client another secret, or end the one before it', ROTATE_EXAMPLES)
    .option('--end-old', 'end the secret before the newest one; no new one is made')
    .action((client: string, { endOld }: { endOld?: true }, command: Command) =>
      withExistingService(async (service) => {
        const { id, name } = await findOne(service, client)
        if (!endOld) {
          const secret = await rotateSecret(service, id, operatorCaller())
          const text = `The new secret of ${name} is shown this once. The one before it stays good:`
          return tell(command, { id, secret }, text)
        }
        await confirm(command, `End the old secret of ${name}?`)
        const ended = await endOldSecrets(service, id, operatorCaller())
        const text = ended ? `The old secret of ${name} is ended.` : `${name} has one secret only.`
        answer(command, { json: { client_id: id, ended }, text })
      }),
    )

  clients
    .command('list')
    .description('list the service clients by name')
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

  onOne('show', 'show one, and when its secrets were used last').action(
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
