import type { Service } from '../service/service.ts'
import { accountTokenFor } from './sessions.ts'

/** The kinds of second factor that an owner sees, in the order of the list. */
export async function kindsOf({ get }: Pick<Service, 'get'>, accessToken: string): Promise<string[]> {
  const { body } = await get('/2fa', accessToken)
  return body.factors.map(({ kind }: { kind: string }) => kind)
}

/** The body that sets up an authenticator in the place of the only one. */
export async function inPlaceOfTheOld(
  { get }: Pick<Service, 'get'>,
  accessToken: string,
): Promise<{ replaces: string }> {
  const { body } = await get('/2fa', accessToken)
  const { id } = body.factors.find(({ kind }: { kind: string }) => kind === 'totp')
  return { replaces: id }
}

/** Sets up an authenticator in the place of the only one; it counts when a code of it was sent. */
export async function setUpReplacement(service: Service, accessToken: string): Promise<{ secret: string }> {
  const body = await inPlaceOfTheOld(service, accessToken)
  const answer = await service.post('/2fa/setup', body, await accountTokenFor(service, accessToken))
  if (answer.status !== 200) throw new Error(`setup answered ${answer.status}: ${answer.text}`)
  return { secret: answer.body.secret }
}
