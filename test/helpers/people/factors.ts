import type { Service } from '../service/service.ts'
import { accountTokenFor } from './sessions.ts'

/** The second factors that an owner sees, in the order of the list. */
export async function factorsOf(
  { get }: Pick<Service, 'get'>,
  accessToken: string,
): Promise<{ id: string; kind: string; name: string; last_used_at: string | null }[]> {
  return (await get('/2fa', accessToken)).body.factors
}

export async function kindsOf(service: Pick<Service, 'get'>, accessToken: string): Promise<string[]> {
  return (await factorsOf(service, accessToken)).map(({ kind }) => kind)
}

/** The body that sets up an authenticator in the place of the only one. */
export async function inPlaceOfTheOld(
  service: Pick<Service, 'get'>,
  accessToken: string,
): Promise<{ replaces: string }> {
  return { replaces: await factorId(service, accessToken, 'totp') }
}

/** The id of the only factor of a kind, or of the oldest. */
export async function factorId(
  service: Pick<Service, 'get'>,
  accessToken: string,
  kind: string,
): Promise<string> {
  const found = (await factorsOf(service, accessToken)).find((factor) => factor.kind === kind)
  if (!found) throw new Error(`The account has no factor ${kind}`)
  return found.id
}

/** Sets up an authenticator in the place of the only one; it counts when a code of it was sent. */
export async function setUpReplacement(service: Service, accessToken: string): Promise<{ secret: string }> {
  const body = await inPlaceOfTheOld(service, accessToken)
  const answer = await service.post('/2fa/setup', body, await accountTokenFor(service, accessToken))
  if (answer.status !== 200) throw new Error(`setup answered ${answer.status}: ${answer.text}`)
  return { secret: answer.body.secret }
}
