import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { SERVICE_PREFIX } from '../values/service-client-id.ts'

/** The one scope that a service client can have: to ask about tokens of its audience. */
export const INTROSPECT = 'introspect'

/** A service that signs in with a secret of its own. It is no account, and has no session. */
export interface Client {
  id: string
  name: string
  /** Whose tokens it may look at. */
  audiences: readonly string[]
  /** What it may do here. */
  scopes: readonly string[]
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 256 bits. */
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6

/**
 * A secret that scanners find in code and logs, and know from look-alikes without asking anyone: `keyturn_`, the id of
 * its client, 256 random bits, and the CRC-32 of all that in base 62.
 */
export function newClientSecret(clientId: string): string {
  const id = clientId.slice(SERVICE_PREFIX.length).replaceAll('-', '')
  const random = Array.from({ length: SECRET_LENGTH }, () => BASE62[randomInt(62)]).join('')
  const text = `keyturn_${id}_${random}`
  return `${text}_${inBase62(crc32(text))}`
}

function inBase62(number: number): string {
  let text = ''
  for (let rest = number; text.length < CHECKSUM_LENGTH; rest = Math.floor(rest / 62))
    text = BASE62[rest % 62] + text
  return text
}

/** It is random, so a fast hash will do. The id is part of it: a secret is that of one client. */
export function hashClientSecret(keyedHash: KeyedHash, clientId: string, secret: string): string {
  return keyedHash('client secret', clientId, secret)
}
