import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ShaCryptTask } from './sha-crypt-worker.ts'
import { type StoredHash, UnreadableHashError } from './stored-hash.ts'

/** A second or two. passlib takes 656 000. */
const MAX_ROUNDS = 1_000_000

/** What crypt(3) of libxcrypt takes. Each round hashes the password twice, and the first steps need the square of its bytes. */
const MAX_PASSWORD_BYTES = 511

const CRYPT =
  /^\$([56])\$(?:rounds=([1-9]\d{3,8})\$)?([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** sha256_crypt and sha512_crypt, the `$5$` and `$6$` of crypt(3). @throws {UnreadableHashError} */
export function readShaCrypt(text: string): StoredHash | null {
  const [, kind, rounds = '5000', salt = '', written = ''] = CRYPT.exec(text) ?? []
  const algorithm = kind === '5' ? 'sha256' : 'sha512'
  const size = kind === '5' ? 32 : 64
  if (!kind || written.length !== Math.ceil((size * 8) / 6)) return null
  if (Number(rounds) > MAX_ROUNDS)
    throw new UnreadableHashError(`A stored ${algorithm}-crypt hash asks for too much work`)
  return {
    scheme: `${algorithm}-crypt`,
    async verify(password) {
      const bytes = Buffer.from(password)
      // A longer one is wrong, after the work of a wrong one.
      const tried = bytes.subarray(0, MAX_PASSWORD_BYTES)
      const task = { algorithm, rounds: Number(rounds), salt: Buffer.from(salt), password: tried } as const
      const matches = timingSafeEqual(Buffer.from(spell(await run(task))), Buffer.from(written))
      return matches && tried.length === bytes.length
    },
  }
}

async function run(workerData: ShaCryptTask): Promise<Uint8Array> {
  const file = `./sha-crypt-worker${extname(import.meta.url)}`
  const worker = new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] })
  const [digest] = await once(worker, 'message')
  return digest
}

/** crypt(3) writes three bytes as four signs, the lowest first, and takes them from afar. */
function spell(digest: Uint8Array): string {
  const third = Math.floor(digest.length / 3)
  let text = ''
  for (let n = 0; n < third; n += 1) {
    // The first of the three is each third in turn: backwards with SHA-256, forwards with SHA-512.
    const turn = digest.length === 32 ? [0, 2, 1][n % 3] : n % 3
    const at = [0, 1, 2].map((one) => digest[n + third * (((turn ?? 0) + one) % 3)] ?? 0)
    text += signs(((at[0] ?? 0) << 16) | ((at[1] ?? 0) << 8) | (at[2] ?? 0), 4)
  }
  const [a = 0, b = 0] = digest.subarray(3 * third)
  return text + (digest.length === 32 ? signs((b << 8) | a, 3) : signs(a, 2))
}

function signs(value: number, count: number): string {
  return Array.from({ length: count }, (_, n) => ALPHABET[(value >> (6 * n)) & 63]).join('')
}
