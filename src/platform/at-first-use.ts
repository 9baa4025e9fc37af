import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Makes a value when it is first asked for, and keeps it. */
export function atFirstUse<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** A package that is loaded when it is first asked for, and at once: `import()` would make its users wait. */
export const packageAtFirstUse = <T extends object>(name: string): (() => T) =>
  atFirstUse(() => require(name) as T)
