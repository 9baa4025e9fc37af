/** Whether a browser or a shell names itself so in `Origin`: as the URL standard has it, or of a scheme of its own. */
function isOrigin(text: string): boolean {
  const origin = URL.parse(text)?.origin
  return origin === 'null' ? /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/.test(text) : origin === text
}

/** What is wrong with `CORS_ORIGINS`, a sentence for each. */
export function faultsOfOrigins(origins: readonly string[]): string[] {
  const faultOf = (origin: string) =>
    origin.includes('*')
      ? `whole origins: a wildcard as in "${origin}" never matches`
      : `origins like https://app.example.com or capacitor://localhost, not "${origin}"`
  return origins
    .filter((origin) => origin.includes('*') || !isOrigin(origin))
    .map((origin) => `CORS_ORIGINS must be ${faultOf(origin)}`)
}
