import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  type Asserted,
  type AuthenticationResponseJSON,
  checkAssertion,
  checkRegistration,
  type Refusal,
  type Registered,
} from '../../../src/factors/passkeys/ceremony.ts'
import { ANYBODY } from '../../../src/factors/passkeys/challenge.ts'
import type { Passkey } from '../../../src/factors/passkeys/store.ts'

/** The test vectors of the W3C, which are what authenticators of every kind send, through our own verification. */

/** In hexadecimal. */
interface Vector {
  name: string
  rp_id: string
  registration: {
    challenge: string
    credential_id: string
    client_data_json: string
    attestation_object: string
  }
  authentication: {
    challenge: string
    authenticator_data: string
    client_data_json: string
    signature: string
  }
}

const { source, vectors }: { source: string; vectors: Vector[] } = JSON.parse(
  readFileSync(new URL('webauthn-l3.json', import.meta.url), 'utf8'),
)

const text = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

const CREATE = { purpose: 'create', accountId: 'ada', boundTo: 'here' } as const

/** A service that has asked this: with the clock and the keyed hash by which the challenge is one of its own. */
function askerOf(challenge: string, id: string) {
  const bytes = Buffer.from(challenge, 'hex')
  return {
    clock: { now: () => bytes.readUIntBE(16, 6) - 1 },
    keyedHash: () => bytes.subarray(22).toString('base64url'),
    relyingParty: { id, origins: [`https://${id}`] },
  }
}

function register({ rp_id, registration }: Vector): Promise<Registered | Refusal> {
  const { challenge, credential_id, client_data_json, attestation_object } = registration
  const id = text(credential_id)
  return checkRegistration(
    askerOf(challenge, rp_id),
    {
      ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
      response: { clientDataJSON: text(client_data_json), attestationObject: text(attestation_object) },
    },
    CREATE,
  )
}

function signIn(
  { rp_id, authentication }: Vector,
  passkey: Passkey,
  signature = authentication.signature,
): Promise<Asserted | Refusal> {
  const { challenge, authenticator_data, client_data_json } = authentication
  const id = passkey.credentialId
  const response: AuthenticationResponseJSON = {
    ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
    response: {
      clientDataJSON: text(client_data_json),
      authenticatorData: text(authenticator_data),
      signature: text(signature),
    },
  }
  return checkAssertion(askerOf(challenge, rp_id), response, ANYBODY, { passkey, alone: false })
}

/** Under `attestation: none` no one sends these attestations, whose roots we do not have. */
const REFUSED: Record<string, Refusal> = {
  'none-es256-crossOrigin': 'origin',
  'none-es256-topOrigin': 'origin',
  'packed-ed448': 'credential',
  'tpm-es256': 'credential',
  'android-key-es256': 'credential',
  'apple-es256': 'credential',
  'fido-u2f-es256': 'credential',
}

for (const vector of vectors) {
  const credentialId = text(vector.registration.credential_id)
  const refusal = REFUSED[vector.name]
  if (refusal)
    t.test(`the vector ${vector.name} is refused: ${refusal}`, async (t) => {
      t.equal(await register(vector), refusal)
      const passkey = { credentialId, publicKey: text('a0'), backupEligible: false } as Passkey
      t.equal(await signIn(vector, passkey), refusal)
    })
  else
    t.test(`the vector ${vector.name} makes a passkey and signs in`, async (t) => {
      const registered = await register(vector)
      if (typeof registered === 'string') throw new Error(registered)
      const { credential, credentialDeviceType } = registered.registration
      t.equal(credential.id, credentialId)
      const passkey = {
        credentialId,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        backupEligible: credentialDeviceType === 'multiDevice',
      } as Passkey
      t.match(await signIn(vector, passkey), { assertion: { credentialID: credentialId } })
      const signature = vector.authentication.signature.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
      t.equal(await signIn(vector, passkey, signature), 'credential', 'not with another signature')
    })
}

t.test(`all of ${source} were tried, and eight are accepted`, async (t) => {
  t.equal(vectors.length - Object.keys(REFUSED).length, 8)
  for (const name of Object.keys(REFUSED))
    t.ok(
      vectors.some((vector) => vector.name === name),
      name,
    )
})
