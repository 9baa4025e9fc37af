import { ScureBase32Plugin } from 'otplib'

const BASE32 = new ScureBase32Plugin()

/** Base32 without padding (RFC 4648 section 6), as people type it and as key URIs carry it. */
export function base32(secret: Buffer): string {
  return BASE32.encode(secret, { padding: false })
}

/** Reads base32 in any case, in groups, with or without padding. `null` when it is not base32. */
export function readBase32(text: string): Buffer | null {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replace(/=+$/, '')
  if (!/^[A-Z2-7]+$/.test(letters)) return null
  try {
    return Buffer.from(BASE32.decode(letters))
  } catch {
    return null
  }
}

/**
 * The key URI that authenticator apps read from the QR code. Everything is percent-encoded, blanks as %20. In the
 * label, a colon separates issuer and account: an issuer goes without its own. Apps that know an account by its label
 * alone would otherwise take it for that of another site.
 */
export function keyUri(of: { secret: Buffer; issuer: string; account: string }): string {
  const { secret, issuer, account } = of
  const name = encodeURIComponent(issuer.replace(/\s*:\s*/g, ' '))
  const parameters = [`secret=${base32(secret)}`, `issuer=${name}`, 'algorithm=SHA1', 'digits=6', 'period=30']
  return `otpauth://totp/${name}:${encodeURIComponent(account)}?${parameters.join('&')}`
}
