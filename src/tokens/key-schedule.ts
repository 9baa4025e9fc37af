import { DAY_MS } from '../platform/clock.ts'

/** How long a verifier may keep the key set, in seconds. */
export const JWKS_MAX_AGE = 300

/** How long a key is published before it signs, in milliseconds: then the copy of every verifier has it. */
export const PUBLISH_LEAD_MS = 2 * JWKS_MAX_AGE * 1000

/** The age at which a signing key is followed by the next one. */
export const ROTATION_AGE_MS = 90 * DAY_MS

/** How late a process may learn of a new key, and how much clocks may differ, before a key is dropped. */
const RETIREMENT_MARGIN_MS = PUBLISH_LEAD_MS

/** What the schedule of a key is computed from. Nothing else is stored, so all processes agree on it. */
interface Dated {
  createdAt: number
}

/**
 * When the key at `index` starts to sign, in epoch milliseconds. The first one signs at once: there is no other, and
 * no verifier has a key set without it.
 *
 * @param keys in the order they were made.
 */
function signsFrom(keys: readonly Dated[], index: number): number {
  const { createdAt } = keys[index] as Dated
  return index === 0 ? createdAt : createdAt + PUBLISH_LEAD_MS
}

/** The key that signs now: the latest one whose time has come. */
export function signingKeyAt<K extends Dated>(keys: readonly K[], now: number): K | undefined {
  return keys.findLast((_key, index) => signsFrom(keys, index) <= now) ?? keys[0]
}

/**
 * The keys to publish now: all except those whose last token has expired.
 *
 * @param tokenTtl the life of an access token in seconds.
 */
export function publishedKeysAt<K extends Dated>(keys: readonly K[], now: number, tokenTtl: number): K[] {
  return keys.filter((_key, index) => {
    if (index === keys.length - 1) return true
    const replacedAt = signsFrom(keys, index + 1)
    return now < replacedAt + tokenTtl * 1000 + RETIREMENT_MARGIN_MS
  })
}

/** Whether the next key must be made now, so that it can sign when the newest one is old. */
export function isRotationDue(keys: readonly Dated[], now: number): boolean {
  const newest = keys.at(-1)
  return !newest || now >= newest.createdAt + ROTATION_AGE_MS - PUBLISH_LEAD_MS
}
