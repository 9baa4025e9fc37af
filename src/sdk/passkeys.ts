import type { components, operations } from './api.ts'
import { unwrap } from './problem.ts'
import type { Routes } from './routes.ts'

type Credential<Name extends 'addPasskey' | 'signInWithPasskey'> =
  operations[Name]['requestBody']['content']['application/json']['credential']

/** As much of a browser as is needed of it (WebAuthn Level 3); this file is also read where there is none. */
interface Browser {
  PublicKeyCredential?: Partial<Platform>
  navigator: { credentials: Record<'create' | 'get', (options: object) => Promise<{ toJSON(): object }>> }
}

interface Platform extends Signals {
  parseCreationOptionsFromJSON(options: object): object
  parseRequestOptionsFromJSON(options: object): object
  isConditionalMediationAvailable(): Promise<boolean>
}

interface Signals {
  signalAllAcceptedCredentials(of: {
    rpId: string
    userId: string
    allAcceptedCredentialIds: string[]
  }): Promise<void>
  signalUnknownCredential(of: { rpId: string; credentialId: string }): Promise<void>
}

const browser = globalThis as unknown as Browser
const PARSERS = { create: 'parseCreationOptionsFromJSON', get: 'parseRequestOptionsFromJSON' } as const

/** The browser has no passkeys, or is older than the JSON methods of WebAuthn Level 3 (2025). */
export class PasskeysUnsupportedError extends Error {
  override readonly name = 'PasskeysUnsupportedError'
}

const hasPasskeys = () => Object.values(PARSERS).every((parser) => browser.PublicKeyCredential?.[parser])

/** What this browser can do: passkeys, and offering them among the suggestions for a field. */
export async function passkeySupport(): Promise<{ passkeys: boolean; autofill: boolean }> {
  const passkeys = hasPasskeys()
  const autofill = passkeys && (await browser.PublicKeyCredential?.isConditionalMediationAvailable?.())
  return { passkeys, autofill: autofill ?? false }
}

/** Looked at before the service is asked. */
function needPasskeys(): void {
  if (!hasPasskeys()) throw new PasskeysUnsupportedError('This browser cannot use passkeys; a newer one can.')
}

let underWay: AbortController | undefined

/**
 * Asks the person for a passkey. A browser does one ceremony at a time: the one before, such as the offer in a field,
 * gives way.
 *
 * @throws {DOMException} `NotAllowedError` where the person declined or took too long, `InvalidStateError` where the
 *   authenticator has a passkey of the account, `AbortError` where another ceremony began.
 */
async function ask<T>(
  method: 'create' | 'get',
  options: object,
  { until, ...mediation }: { until?: AbortSignal; mediation?: 'conditional' } = {},
): Promise<T> {
  underWay?.abort()
  const ceremony = new AbortController()
  underWay = ceremony
  until?.addEventListener('abort', () => ceremony.abort(until.reason))
  const publicKey = browser.PublicKeyCredential?.[PARSERS[method]]?.(options)
  const asked = { publicKey, signal: ceremony.signal, ...mediation }
  return (await browser.navigator.credentials[method](asked)).toJSON() as T
}

/**
 * Adds a passkey to the account: at a sign-in of one without a second factor, or in a session that has an account token.
 *
 * @param options.name what the list calls it; by default it is called after what made it.
 */
export async function registerPasskey(
  client: Routes,
  options: { name?: string; enrolmentCode?: string } = {},
) {
  const { name, enrolmentCode } = options
  needPasskeys()
  const body = enrolmentCode === undefined ? {} : { enrolment_code: enrolmentCode }
  const { public_key } = unwrap(await client.POST('/2fa/passkeys/options', { body }))
  const credential = await ask<Credential<'addPasskey'>>('create', public_key)
  return unwrap(await client.POST('/2fa/passkeys', { body: { credential, ...(name && { name }) } }))
}

/**
 * Signs in by a passkey alone: at once, for a button, or with `autofill` when the person picks one among the suggestions
 * of a field with `autocomplete="username webauthn"`. The latter waits until then, or until another ceremony begins.
 */
export async function signInWithPasskey(
  client: Routes,
  { autofill = false } = {},
): Promise<components['schemas']['SignIn']> {
  needPasskeys()
  const { public_key, expires_in } = unwrap(await client.POST('/login/passkey/options'))
  // What waits for longer than its challenge lives gets another one.
  const expiring = AbortSignal.timeout(expires_in * 900)
  const how = autofill ? ({ mediation: 'conditional', until: expiring } as const) : {}
  const credential = await ask<Credential<'signInWithPasskey'>>('get', public_key, how).catch((error) => {
    if (!autofill || !expiring.aborted) throw error
  })
  if (!credential) return signInWithPasskey(client, { autofill })
  const answer = await client.POST('/login/passkey', { body: { credential } })
  if (answer.error?.code === 'unknown_credential' && answer.error.reason === 'removed')
    await tell('signalUnknownCredential', { rpId: String(public_key.rpId), credentialId: credential.id })
  return unwrap(answer)
}

/** Answers with a passkey after a right password. */
export async function verifyWithPasskey(client: Routes) {
  return unwrap(await client.POST('/2fa/verify', { body: await answerOf(client) }))
}

/** Shows a passkey in the session, which gives an account token: for a change of the account. */
export async function stepUpWithPasskey(client: Routes) {
  return unwrap(await client.POST('/2fa/step-up', { body: await answerOf(client) }))
}

async function answerOf(client: Routes) {
  needPasskeys()
  const { public_key } = unwrap(await client.POST('/2fa/passkeys/challenge'))
  return {
    method: 'passkey' as const,
    credential: await ask<Credential<'signInWithPasskey'>>('get', public_key),
  }
}

/** The second factors of the account. The browser is told which passkeys are left, so that it offers no others. */
export async function listFactors(client: Routes) {
  const listed = unwrap(await client.GET('/2fa'))
  const { rp_id: rpId, user_id: userId, credential_ids: allAcceptedCredentialIds } = listed.passkeys
  await tell('signalAllAcceptedCredentials', { rpId, userId, allAcceptedCredentialIds })
  return listed
}

/** Takes an account token, and leaves it for another change. */
export async function renameFactor(client: Routes, id: string, name: string) {
  return unwrap(await client.PATCH('/2fa/factors/{id}', { params: { path: { id } }, body: { name } }))
}

/** Takes an account token. @returns what is left. */
export async function removeFactor(client: Routes, id: string) {
  unwrap(await client.DELETE('/2fa/factors/{id}', { params: { path: { id } } }))
  return listFactors(client)
}

/** Not every browser listens, and what it says to it is no matter of the account. */
async function tell<Name extends keyof Signals>(name: Name, of: Parameters<Signals[Name]>[0]): Promise<void> {
  const signal = browser.PublicKeyCredential?.[name] as ((of: object) => Promise<void>) | undefined
  await signal?.call(browser.PublicKeyCredential, of).catch(() => {})
}
