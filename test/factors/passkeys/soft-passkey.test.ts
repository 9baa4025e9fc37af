import { randomBytes } from 'node:crypto'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type VerifiedAuthenticationResponse,
  type VerifiedRegistrationResponse,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import t from 'tap'
import { ALGORITHM_NAMES } from '../../helpers/webauthn/key-pair.ts'
import { type Habits, SoftPasskey } from '../../helpers/webauthn/soft-passkey.ts'

/** The software authenticator of the tests is itself held against a library that it does not use. */

const RP_ID = 'a.test'
const ORIGIN = 'https://a.test'
const ALGORITHMS = [-7, -8, -257, -35, -36]

async function register(
  passkey: SoftPasskey,
  habits: Partial<Habits> = {},
): Promise<VerifiedRegistrationResponse> {
  const options = await generateRegistrationOptions({
    rpName: 'A',
    rpID: RP_ID,
    userName: 'ada',
    supportedAlgorithmIDs: ALGORITHMS,
  })
  return verifyRegistrationResponse({
    response: passkey.create(options, habits),
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    supportedAlgorithmIDs: ALGORITHMS,
  })
}

/** @param knownCounter what the service has seen last. */
async function signIn(
  passkey: SoftPasskey,
  { registrationInfo }: VerifiedRegistrationResponse,
  habits: Partial<Habits> = {},
  knownCounter = 0,
): Promise<VerifiedAuthenticationResponse> {
  if (!registrationInfo) throw new Error('not registered')
  const options = await generateAuthenticationOptions({ rpID: RP_ID })
  return verifyAuthenticationResponse({
    response: passkey.get(options, habits),
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    credential: { ...registrationInfo.credential, counter: knownCounter },
  })
}

for (const name of ALGORITHM_NAMES)
  t.test(`a soft passkey of ${name} is accepted by SimpleWebAuthn`, async (t) => {
    const passkey = new SoftPasskey({ origin: ORIGIN }, name)
    const registered = await register(passkey)
    t.equal(registered.verified, true)
    t.equal(registered.registrationInfo?.credential.id, passkey.id.toString('base64url'))
    t.equal((await signIn(passkey, registered)).verified, true)
    const spoilt = await signIn(passkey, registered, { spoilSignature: () => randomBytes(64) }).catch(
      () => null,
    )
    t.not(spoilt?.verified, true, 'and not with another signature')
  })

t.test('what a soft passkey says of itself arrives', async (t) => {
  const aaguid = randomBytes(16)
  const passkey = new SoftPasskey({ origin: ORIGIN, be: true, bs: true, aaguid, transports: ['hybrid'] })
  const registered = await register(passkey, { counter: 7 })
  t.match(registered.registrationInfo, {
    aaguid: aaguid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    credentialDeviceType: 'multiDevice',
    credentialBackedUp: true,
    userVerified: true,
    credential: { counter: 7, transports: ['hybrid'] },
  })
  const { authenticationInfo } = await signIn(passkey, registered, { bs: false, counter: 8 })
  t.match(authenticationInfo, { newCounter: 8, credentialBackedUp: false })
  t.equal(passkey.get({ challenge: '' }).response.userHandle !== undefined, true)
  t.equal(passkey.get({ challenge: '' }, { userHandle: null }).response.userHandle, undefined)
})

const REFUSED: [string, Partial<Habits>, RegExp][] = [
  ['another origin', { origin: 'https://b.test' }, /origin/],
  ['another RP id', { rpId: 'b.test' }, /RP ID/],
  ['another type', { clientData: { type: 'payment.get' } }, /type/],
  ['another challenge', { clientData: { challenge: 'AAAA' } }, /challenge/],
  ['no user present', { up: false }, /[Uu]ser.*(present|presence)/],
  ['no user verified', { uv: false }, /[Uu]ser.*verif/],
  ['a backup of what cannot be backed up', { be: false, bs: true }, /backed up|backup/],
  ['authenticator data that end early', { spoilAuthenticatorData: (right) => right.subarray(0, 36) }, /./],
]

for (const [what, habits, reason] of REFUSED)
  t.test(`a soft passkey with ${what} is refused by SimpleWebAuthn`, async (t) => {
    const passkey = new SoftPasskey({ origin: ORIGIN })
    await t.rejects(register(passkey, habits), { message: reason })
    const registered = await register(passkey)
    await t.rejects(signIn(passkey, registered, habits), { message: reason })
  })

t.test(
  'a soft passkey whose counter goes back, or whose CBOR is cut, is refused by SimpleWebAuthn',
  async (t) => {
    const passkey = new SoftPasskey({ origin: ORIGIN })
    for (const length of [0, 1, 20, 150])
      await t.rejects(register(passkey, { spoilAttestationObject: (right) => right.subarray(0, length) }))
    const registered = await register(passkey, { counter: 7 })
    await t.rejects(signIn(passkey, registered, { counter: 7 }, 7), { message: /counter/ })
  },
)
