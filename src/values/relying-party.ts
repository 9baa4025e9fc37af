/** Who passkeys are made for (WebAuthn Level 3 section 4), and the pages and apps that may use them. */
export interface RelyingParty {
  /** A domain. A passkey is bound to it for life. */
  id: string
  origins: readonly string[]
}

const ANDROID_APP = /^android:apk-key-hash:[A-Za-z0-9_-]{43}$/

/** Whether this is an origin that a passkey can be used from: a page over https or of this machine, or an Android app. */
export function isPasskeyOrigin(origin: string): boolean {
  if (ANDROID_APP.test(origin)) return true
  const url = URL.parse(origin)
  return url?.origin === origin && (url.protocol === 'https:' || isLocal(url))
}

/** Whether a text can be the id of a relying party: a domain, and no address. */
export const isRpId = (text: string) => /^(localhost|([a-z0-9-]+\.)+[a-z][a-z0-9-]*)$/.test(text)

/** An address has none, and a page without TLS makes none. */
export const canHavePasskeys = ({ id, origins }: RelyingParty) => isRpId(id) && origins.length > 0

/** The origins among these that can use passkeys of a relying party without more: pages of its domain and below it. */
export function originsBelow(id: string, origins: readonly string[]): string[] {
  return origins.filter((origin) => {
    const hostname = isPasskeyOrigin(origin) && URL.parse(origin)?.hostname
    return hostname && (hostname === id || hostname.endsWith(`.${id}`))
  })
}

function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && (hostname === 'localhost' || hostname.endsWith('.localhost'))
}
