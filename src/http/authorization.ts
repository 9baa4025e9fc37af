import type { FastifyRequest } from 'fastify'

/** Node keeps the first of several headers, and a proxy may have checked the last one (RFC 9110 section 5.3). */
export function isSentTwice({ raw }: FastifyRequest): boolean {
  return raw.rawHeaders.filter((text, index) => index % 2 === 0 && /^authorization$/i.test(text)).length > 1
}
