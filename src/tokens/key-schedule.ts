/** How long a verifier may keep the key set, in seconds. */
export const JWKS_MAX_AGE = 300

/** A key is published for so long before it signs that every verifier's copy of the key set has it. */
export const PUBLISH_LEAD_MS = 2 * JWKS_MAX_AGE * 1000

/** How old a signing key gets before the next one is made. */
export const ROTATION_AGE_MS = 90 * 24 * 3600 * 1000

/** How far a process may lag behind in learning of a new key, and clocks may differ, before a key is dropped. */
const RETIREMENT_MARGIN_MS = PUBLISH_LEAD_MS

/** What the schedule of a key follows from; nothing else is stored, so all processes agree on it. */
interface Dated {
  createdAt: number
}

/**
 * From when on the key at `index` signs, in epoch milliseconds. The first one signs at once: there is no other,
 * and nobody has seen a key set without it.
 *
 * @param keys in the order they were made.
 */
function signsFrom(keys: readonly Dated[], index: number): number {
  const { createdAt } = keys[index] as Dated
  return index === 0 ? createdAt : createdAt + PUBLISH_LEAD_MS
}

/** The key that signs now: the latest whose time has come. */
export function signingKeyAt<K extends Dated>(keys: readonly K[], now: number): K | undefined {
  return keys.findLast((_key, index) => signsFrom(keys, index) <= now) ?? keys[0]
}

/**
 * The keys to publish now: all but those whose last token has expired.
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

/** Whether it is time to make the next key, so that it can sign when the newest one is old. */
export function isRotationDue(keys: readonly Dated[], now: number): boolean {
  const newest = keys.at(-1)
  return !newest || now >= newest.createdAt + ROTATION_AGE_MS - PUBLISH_LEAD_MS
}
