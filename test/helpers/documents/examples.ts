import { readFileSync } from 'node:fs'

/** An example beside the OpenAPI document, for a service at another address. */
export function example(name: string, url: string): string {
  const text = readFileSync(new URL(`../../../openapi/examples/${name}`, import.meta.url), 'utf8')
  return text.replaceAll('http://127.0.0.1:3000', url)
}
