import { type Answer, login, register, type Service } from '../service/service.ts'
import { type Habits, SoftPasskey } from '../webauthn/soft-passkey.ts'

/** Of a service with no settings but its defaults. */
export const ORIGIN = 'http://localhost:3000'

export const newPasskey = (
  habits: Partial<Habits> = {},
  algorithm?: ConstructorParameters<typeof SoftPasskey>[1],
) => new SoftPasskey({ origin: ORIGIN, ...habits }, algorithm)

type Caller = Pick<Service, 'post'>

/** Makes a passkey a factor, by an mfa token or an account token. */
export async function addPasskey(
  { post }: Caller,
  passkey: SoftPasskey,
  token: string,
  { once, name }: { once?: Partial<Habits>; name?: string } = {},
): Promise<Answer> {
  const asked = await post('/2fa/passkeys/options', undefined, token)
  if (asked.status !== 200) return asked
  const credential = passkey.create(asked.body.public_key, once)
  return post('/2fa/passkeys', { credential, ...(name !== undefined && { name }) }, token)
}

/** What a passkey signs for an mfa token or an access token. */
export async function signed(
  { post }: Caller,
  passkey: SoftPasskey,
  token: string,
  once?: Partial<Habits>,
): Promise<{ method: string; credential: object }> {
  const { body } = await post('/2fa/passkeys/challenge', undefined, token)
  return { method: 'passkey', credential: passkey.get(body.public_key, once) }
}

/** Signs in by password and passkey. */
export async function signInWith(
  service: Service,
  passkey: SoftPasskey,
  { username = 'ada', once }: { username?: string; once?: Partial<Habits> } = {},
): Promise<Answer> {
  const mfaToken = await login(service, username)
  return service.post('/2fa/verify', await signed(service, passkey, mfaToken, once), mfaToken)
}

/** Signs in by the passkey alone. */
export async function signInAlone(
  { post }: Caller,
  passkey: SoftPasskey,
  once?: Partial<Habits>,
): Promise<Answer> {
  const { body } = await post('/login/passkey/options')
  return post('/login/passkey', { credential: passkey.get(body.public_key, once) })
}

/** An account whose first factor is a passkey. @returns the answer that has enrolled it, and the passkey. */
export async function enrolPasskey(
  service: Service,
  username = 'ada',
  passkey = newPasskey(),
): Promise<Answer & { passkey: SoftPasskey; id: string }> {
  const { id } = await register(service, username)
  const answer = await addPasskey(service, passkey, await login(service, username))
  if (answer.status !== 200) throw new Error(`enrolling answered ${answer.status}: ${answer.text}`)
  return { ...answer, passkey, id }
}
