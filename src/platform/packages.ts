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

/** Whether an import failed because a package is not installed; `package.json` has those as optional peers. */
export function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}`)
}
