import type { Answer, Service } from './service.ts'

/** A POST whose body is sent byte for byte, under headers of the test's choice. */
export function postBytes(
  service: Service,
  url: string,
  bytes: Buffer | string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  token?: string,
): Promise<Answer> {
  return service.post(url, undefined, token, { payload: bytes, headers })
}

/** The bytes of a JSON text with something spliced into its strings that no JSON writer would write. */
export function jsonBytes(text: string, splice: Buffer): Buffer {
  const [before = '', after = ''] = text.split('%')
  return Buffer.concat([Buffer.from(before), splice, Buffer.from(after)])
}
