/** Which usernames can be chosen: `plain` ones have no `@`, so that none looks like an address. */
export type Usernames = 'any' | 'plain'

/** ASCII only, so that two names that look the same are the same apart from case. */
export const USERNAME_PATTERNS: Readonly<Record<Usernames, string>> = {
  any: "^[A-Za-z0-9][A-Za-z0-9._@+'-]*[A-Za-z0-9]$",
  plain: "^[A-Za-z0-9][A-Za-z0-9._+'-]*[A-Za-z0-9]$",
}
export const USERNAME_MIN = 3
export const USERNAME_MAX = 64

/** The spelling by which a username is unique and found. */
export function usernameKey(username: string): string {
  return username.toLowerCase()
}
