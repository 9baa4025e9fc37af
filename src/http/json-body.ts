import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { visit } from 'jsonc-parser'
import { AppError, malformedJson, unsupportedMediaType, validationFailed } from '../errors.ts'
import { texts } from '../texts/texts.ts'

/** Bodies of this API have only a few short members. */
export const BODY_LIMIT_BYTES = 16 * 1024

/**
 * The only body parser: JSON in well-formed UTF-8 (RFC 8259 section 8.1), each member once, strings of well-formed
 * Unicode. A body that parsers may read differently is refused.
 */
export const jsonBody = fp(
  async function jsonBody(app: FastifyInstance) {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      async (request: FastifyRequest, body: Buffer) => {
        refuseEncodedBody(request)
        return body.length === 0 ? undefined : parseStrictJson(body)
      },
    )
    // What is not there has no type: clients name one all the same, by the length that they send or in no chunks.
    app.addHook('onRequest', async ({ headers }) => {
      if (!Number(headers['content-length'] ?? 0) && !headers['transfer-encoding'])
        delete headers['content-type']
    })
    app.addContentTypeParser('*', async ({ routeOptions }: FastifyRequest, body: Readable) => {
      for await (const _ of body.iterator({ destroyOnReturn: false }))
        throw unsupportedMediaType(routeOptions.schema?.consumes)
    })

    // No body is one without members: some routes need none, and others say which one is missing. A route without a body
    // schema accepts no body: its members would be unknown, and unknown members are refused.
    app.addHook('preValidation', async (request) => {
      const { body } = request
      const schema = request.routeOptions.schema?.body
      if (body === undefined && schema) request.body = {}
      if (body === undefined || schema) return
      const empty = JSON.stringify(body) === '{}'
      if (!empty)
        throw validationFailed([{ pointer: '', code: 'unknown_member', detail: texts.details.noBodyHere }])
    })
  },
  { name: 'json-body' },
)

/** Nothing here decompresses bodies (RFC 9110 section 15.5.16), and an encoded body is not read as if it were plain. */
export function refuseEncodedBody(request: FastifyRequest): void {
  if ((request.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    throw new AppError('unsupported_media_type', texts.details.bodyEncoded, {
      headers: { 'accept-encoding': 'identity' },
    })
}

/** @throws {AppError} malformed_json, validation_failed */
function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes, () => malformedJson(texts.details.bodyNotUtf8))
  refuseDeepAndDuplicate(text)
  try {
    return JSON.parse(text, refuseIllFormedText)
  } catch (error) {
    if (error instanceof IllFormedText)
      throw validationFailed([{ pointer: '', code: 'type', detail: texts.details.unpairedSurrogate }])
    throw malformedJson(texts.details.bodyNotJson)
  }
}

/** Skips a byte order mark (RFC 8259 section 8.1). */
const DECODER = new TextDecoder('utf-8', { fatal: true })

export function decodeUtf8(bytes: Uint8Array, fault: () => AppError): string {
  try {
    return DECODER.decode(bytes)
  } catch {
    throw fault()
  }
}

class IllFormedText extends Error {}

/**
 * `JSON.parse` accepts `"\ud800"`, half of a pair. Its hash or stored text would not be that of the text that was
 * sent.
 */
function refuseIllFormedText(key: string, value: unknown): unknown {
  if (!key.isWellFormed() || (typeof value === 'string' && !value.isWellFormed())) throw new IllFormedText()
  return value
}

/** No body has so many, and parsers call themselves for each, until there is no stack left (RFC 8259 section 9). */
const MOST_LEVELS = 32

/** `JSON.parse` keeps the last of two members of one name; other parsers keep the first (RFC 8259 section 4). */
function refuseDeepAndDuplicate(text: string): void {
  /** The names of each object that is open; an array has none. */
  const open: Set<string>[] = []
  const begin = () => {
    if (open.push(new Set()) > MOST_LEVELS) throw malformedJson(texts.details.bodyTooDeep(MOST_LEVELS))
  }
  const end = () => void open.pop()
  visit(text, {
    onObjectBegin: begin,
    onObjectEnd: end,
    onArrayBegin: begin,
    onArrayEnd: end,
    onObjectProperty: (name) => {
      const seen = open.at(-1)
      if (seen?.has(name)) throw malformedJson(texts.details.memberTwice)
      seen?.add(name)
    },
  })
}
