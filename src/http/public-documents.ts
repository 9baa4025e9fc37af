import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

interface Made {
  etag: string
  compressed: Promise<Buffer> | undefined
}

/** Shorter ones fit into one packet as they are. */
const WORTH_COMPRESSING = 1400

/** Documents that are known at a time: each service has about ten, and a new key or setting makes a new one. */
const KNOWN = 50

const compress = promisify(gzip)

/**
 * What caches may keep (`Cache-Control: public`) is the same for everybody: its tag (RFC 9110 section 8.8.3) and its
 * compressed form are made once. The tag is a weak one, since it stands for both forms. Nothing secret is compressed: the
 * length of such an answer tells nothing (RFC 9110 section 17.6).
 */
export const publicDocuments = fp(
  async function publicDocuments(app: FastifyInstance) {
    const known = new Map<string, Made>()

    function madeOf(text: string): Made {
      const found = known.get(text)
      if (found) return found
      if (known.size === KNOWN) known.clear()
      const made = {
        etag: `W/"${createHash('sha256').update(text).digest('base64url')}"`,
        compressed: text.length > WORTH_COMPRESSING ? compress(text, { level: 9 }) : undefined,
      }
      known.set(text, made)
      return made
    }

    app.addHook('onSend', async (request, reply, payload) => {
      const cache = reply.getHeader('cache-control')
      if (typeof payload !== 'string' || !String(cache).startsWith('public') || reply.statusCode !== 200)
        return payload
      const { etag, compressed } = madeOf(payload)
      // CORS has said Origin there, and a route perhaps Accept.
      const vary = [reply.getHeader('vary') ?? [], compressed ? 'Accept-Encoding' : []].flat().join(', ')
      reply.headers({ etag, ...(vary && { vary }) })
      const isAsked = request.headers['accept-encoding'] !== undefined
      const isGzip = compressed && isAsked && request.accepts().encoding(['gzip', 'identity']) === 'gzip'
      if (isGzip) reply.header('content-encoding', 'gzip').removeHeader('content-length')
      const body = isGzip ? compressed : payload
      if (!isNamed(request.headers['if-none-match'], etag)) return body
      reply.code(304).removeHeader('content-type').removeHeader('content-length')
      // For HEAD, a later hook takes the length of the body, and then the body away.
      return request.method === 'HEAD' ? body : null
    })
  },
  { name: 'public-documents' },
)

/** Whether `If-None-Match` names the document (RFC 9110 section 13.1.2), compared weakly. */
function isNamed(field: string | undefined, etag: string): boolean {
  return (
    field === '*' || (field?.split(',').some((tag) => tag.trim().replace(/^(?!W\/)/, 'W/') === etag) ?? false)
  )
}
