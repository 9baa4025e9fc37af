import { createHash, randomBytes } from 'node:crypto'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { type Cbor, cbor } from './cbor.ts'
import { type AlgorithmName, type KeyPair, makeKeyPair } from './key-pair.ts'

/** What a passkey does otherwise than a good one, for good or in one ceremony. */
export interface Habits {
  /** Of the page that asks. */
  origin: string
  /** Instead of the one that the options name. */
  rpId?: string
  /** Instead of, or in addition to, what the browser writes: `{ type: 'webauthn.create' }`, `{ topOrigin: 'https://…' }`. */
  clientData?: Record<string, unknown>
  up?: boolean
  uv?: boolean
  /** Eligible for backup, and backed up. */
  be?: boolean
  bs?: boolean
  /** Zero says that it does not count. */
  counter?: number
  userHandle?: string | null
  aaguid?: Buffer
  transports?: ('ble' | 'cable' | 'hybrid' | 'internal' | 'nfc' | 'smart-card' | 'usb')[]
  /** Spoils what is sent, before it is signed and after. */
  spoilAuthenticatorData?(right: Buffer): Buffer
  spoilAttestationObject?(right: Buffer): Buffer
  spoilSignature?(right: Buffer): Buffer
}

/**
 * One credential of a software authenticator, with the browser in front of it (WebAuthn Level 3): it takes the options
 * of the service as JSON, and answers as `toJSON()` of a browser does. By default it is a discoverable passkey on one
 * device, with user verification, without a counter.
 */
export class SoftPasskey {
  readonly id: Buffer
  readonly #keys: KeyPair
  readonly #habits: Habits
  #userHandle: string | null = null

  constructor(habits: Habits, algorithm: AlgorithmName = 'ES256', id: Buffer = randomBytes(32)) {
    this.id = id
    this.#keys = makeKeyPair(algorithm)
    this.#habits = habits
  }

  /** The COSE key. */
  get publicKey(): Buffer {
    return this.#keys.cose
  }

  create(
    options: PublicKeyCredentialCreationOptionsJSON,
    once: Partial<Habits> = {},
  ): RegistrationResponseJSON {
    const habits = { ...this.#habits, ...once }
    this.#userHandle = options.user.id
    const authenticatorData = this.#authenticatorData(options.rp.id, habits, true)
    const attestationObject = cbor(
      new Map<string, Cbor>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authenticatorData],
      ]),
    )
    return {
      ...this.#head(),
      response: {
        clientDataJSON: text(clientData('webauthn.create', options.challenge, habits)),
        attestationObject: text(habits.spoilAttestationObject?.(attestationObject) ?? attestationObject),
        transports: habits.transports ?? ['internal'],
        authenticatorData: text(authenticatorData),
        publicKey: text(this.#keys.spki),
        publicKeyAlgorithm: this.#keys.algorithm,
      },
    }
  }

  get(
    options: PublicKeyCredentialRequestOptionsJSON,
    once: Partial<Habits> = {},
  ): AuthenticationResponseJSON {
    const habits = { ...this.#habits, ...once }
    const authenticatorData = this.#authenticatorData(options.rpId, habits, false)
    const written = clientData('webauthn.get', options.challenge, habits)
    const signature = this.#keys.sign(Buffer.concat([authenticatorData, sha256(written)]))
    const userHandle = habits.userHandle === undefined ? this.#userHandle : habits.userHandle
    return {
      ...this.#head(),
      response: {
        clientDataJSON: text(written),
        authenticatorData: text(authenticatorData),
        signature: text(habits.spoilSignature?.(signature) ?? signature),
        ...(userHandle !== null && { userHandle }),
      },
    }
  }

  #head() {
    const id = text(this.id)
    return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} }
  }

  /** Section 6.1, and 6.5.1 for the credential in it. */
  #authenticatorData(rpId: string | undefined, habits: Habits, withCredential: boolean): Buffer {
    const { up = true, uv = true, be = false, bs = false, counter = 0 } = habits
    const flags = [up, false, uv, be, bs, false, withCredential].map((set, bit) => (set ? 1 << bit : 0))
    const rest = Buffer.alloc(
      5,
      flags.reduce((all, flag) => all | flag),
    )
    rest.writeUInt32BE(counter, 1)
    const data: Buffer[] = [sha256(Buffer.from(habits.rpId ?? rpId ?? new URL(habits.origin).hostname)), rest]
    if (withCredential) {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(this.id.length)
      data.push(habits.aaguid ?? Buffer.alloc(16), length, this.id, this.#keys.cose)
    }
    const right = Buffer.concat(data)
    return habits.spoilAuthenticatorData?.(right) ?? right
  }
}

function clientData(type: string, challenge: string, { origin, clientData }: Habits): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...clientData }))
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest()
const text = (data: Buffer) => data.toString('base64url')
