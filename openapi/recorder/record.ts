import type { RecordedExamples } from '../../src/api/examples.ts'
import {
  type NamedOperation,
  type OpenApi,
  operationsOf,
  problemCodesOf,
} from '../../test/helpers/service/openapi.ts'
import { oauthRefusals, type Refusal, refusals } from './refusals.ts'
import { openStage } from './stage.ts'
import { type Success, successes } from './successes.ts'

/**
 * The examples of the OpenAPI document: how a real service answers the scenarios of the tests, and what it refuses.
 *
 * @param document whose operations the examples are for.
 * @throws {Error} when an answer is another one than was expected.
 */
export async function recordExamples(document: OpenApi): Promise<RecordedExamples> {
  const operations = new Map(operationsOf(document).map((one) => [`${one.method} ${one.path}`, one]))
  const operationOf = (route: string) => {
    const operation = operations.get(route.replace(':id', '{id}'))
    if (!operation) throw new Error(`${route} is not in the document`)
    return operation
  }
  const recorded: RecordedExamples = { problems: {}, operations: {} }
  const stage = openStage()

  const add = (route: string, part: 'requests' | number, name: string, value: unknown) => {
    const id = String(operationOf(route).operationId)
    recorded.operations[id] ??= { requests: {}, answers: {} }
    const { requests, answers } = recorded.operations[id]
    if (part !== 'requests') answers[part] ??= {}
    const examples = (part === 'requests' ? requests : answers[part]) ?? {}
    if (!Object.values(examples).some((other) => isSame(other, value))) examples[name] = value
  }

  const succeed = async ({ route, name, ...call }: Success) => {
    const { status, sent, body } = await stage.exchange(route, call)
    if (status >= 300) throw new Error(`${route} ${name} answered ${status}: ${JSON.stringify(body)}`)
    if (operationOf(route).requestBody) add(route, 'requests', name, sent ?? {})
    if (body !== undefined) add(route, status, name, body)
  }

  const refuse = async (name: string, refusal: Refusal) => {
    const [method, path, code = ''] = name.split(' ')
    const { status, body } = await stage.exchange(`${method} ${path}`, refusal)
    if (body?.code !== code) throw new Error(`${name} answered ${status}: ${JSON.stringify(body)}`)
    recorded.problems[code] ??= body
    if (!isSame(recorded.problems[code], body)) add(`${method} ${path}`, status, code, body)
  }

  try {
    for (const success of successes) await succeed(success)
    for (const [name, refusal] of Object.entries(refusals)) await refuse(name, refusal)
    for (const success of new Map(successes.toReversed().map((one) => [one.route, one])).values()) {
      const name = `${success.route} validation_failed`
      const operation = operationOf(success.route)
      if (!(name in refusals) && problemCodesOf(operation, 400).includes('validation_failed'))
        await refuse(name, inWrongForm(operation, success))
    }
    for (const [route, list] of Object.entries(oauthRefusals))
      for (const refusal of list) {
        const { status, body } = await stage.exchange(route, refusal)
        if (!body?.error) throw new Error(`${route} answered ${status}: ${JSON.stringify(body)}`)
        add(route, status, body.error, body)
      }
    return recorded
  } finally {
    await stage.close()
  }
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** The request, but without what its body must have, or with what it cannot have. */
function inWrongForm({ method, requestBody }: NamedOperation, { route, ...success }: Success): Refusal {
  const media = Object.values(requestBody?.content ?? {})[0] as { schema: object } | undefined
  const needsMembers = media && ('anyOf' in media.schema || 'required' in media.schema)
  return {
    ...success,
    async prepare(service, name) {
      const { body: _body, form: _form, ...request } = await success.prepare(service, name)
      if (method === 'GET') return { ...request, url: `${route.split(' ')[1]}?limit=many` }
      return { ...request, body: needsMembers ? {} : { user: 'ada' } }
    },
  }
}
