/** ASCII alone, so that two names that look the same are the same, but for their case. */
export const USERNAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._@+-]*[A-Za-z0-9]$'
export const USERNAME_MIN = 3
export const USERNAME_MAX = 64

/** The spelling under which a username is unique and looked up. */
export function usernameKey(username: string): string {
  return username.toLowerCase()
}
