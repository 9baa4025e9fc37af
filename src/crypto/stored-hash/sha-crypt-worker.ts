import { hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

/** What the worker is asked for. `salt` and `password` are bytes, the password as it was typed. */
export interface ShaCryptTask {
  algorithm: 'sha256' | 'sha512'
  rounds: number
  salt: Uint8Array
  password: Uint8Array
}

// Runs in a thread of its own: hundreds of thousands of rounds would stop every other request.
parentPort?.postMessage(shaCrypt(workerData as ShaCryptTask))

/**
 * SHA-crypt (Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", 2008), the steps by their numbers there.
 *
 * @returns the digest, before its bytes are put in another order.
 */
function shaCrypt({ algorithm, rounds, salt, password }: ShaCryptTask): Buffer {
  const digest = (...parts: Uint8Array[]) => hash(algorithm, Buffer.concat(parts), 'buffer')
  /** The bytes again and again, up to a length. */
  const filled = (bytes: Uint8Array, length: number) => Buffer.alloc(length, bytes)

  // Steps 4 to 8, then 9 to 12.
  const alternate = digest(password, salt, password)
  const first = [password, salt, filled(alternate, password.length)]
  for (let bits = password.length; bits > 0; bits >>= 1) first.push(bits & 1 ? alternate : password)
  let last = digest(...first)

  // Steps 13 to 16, and 17 to 20.
  const p = filled(digest(filled(password, password.length ** 2)), password.length)
  const s = filled(digest(filled(salt, salt.length * (16 + (last[0] ?? 0)))), salt.length)

  // Step 21.
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1
    const parts = [odd ? p : last]
    if (round % 3 !== 0) parts.push(s)
    if (round % 7 !== 0) parts.push(p)
    parts.push(odd ? last : p)
    last = digest(...parts)
  }
  return last
}
