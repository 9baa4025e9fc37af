import { isLoopback } from './hosts.ts'

/** Stands for the token in the setting of a link. */
const PLACE = '{token}'

/** Of the length and the letters of a token, and in lower case, which the name of a host stays in. */
const A_TOKEN = 't'.repeat(43)

/** What browsers and systems open by themselves: no app can have it, and some would run or show the token. */
const NO_APP =
  /^(about|blob|chrome|cid|data|file|filesystem|ftp|jar|javascript|mailto|mid|resource|sms|tel|urn|vbscript|view-source|wss?):$/

/** @returns what is wrong with the setting of a link, or nothing. */
export function faultOfLink(text: string): string | undefined {
  if (text.split(PLACE).length !== 2) return `must have ${PLACE} in it once, where the token goes`
  const url = URL.parse(text.replace(PLACE, A_TOKEN))
  if (!url || /[\s\p{Cc}\p{Cf}]/u.test(text)) return 'must be a URL, without blanks'
  const { protocol, hostname, username, password, host } = url
  if (protocol === 'http:' ? !isLoopback(hostname) : NO_APP.test(protocol) || !/^[a-z0-9+.-]+:\//i.test(text))
    return 'must be an https URL, or one of an app such as myapp://reset?token={token}; http only to this machine'
  if (username || password) return 'must have no user in it'
  if (`${protocol}${host}`.includes(A_TOKEN)) return `must have ${PLACE} after the host`
  return undefined
}

/** @returns the link for a token; `undefined` where there is no such setting. The token is in base64url. */
export function linkWith(setting: string, token: string): string | undefined {
  return setting ? setting.replace(PLACE, token) : undefined
}
