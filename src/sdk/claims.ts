/** A claim of an access token, as far as it can be read here: whose it is, or of which session. */
export function claimOf(accessToken: string | undefined, name: 'sub' | 'sid'): string | undefined {
  try {
    const [, claims = ''] = accessToken?.split('.') ?? []
    return JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/')))[name]
  } catch {
    return undefined
  }
}
