import type { FastifyRequest } from 'fastify'

/** Node keeps the first of several headers, and a proxy may have checked the last one (RFC 9110 section 5.3). */
export function isSentTwice({ raw }: FastifyRequest, name: 'authorization' | 'host'): boolean {
  return raw.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length > 1
}
