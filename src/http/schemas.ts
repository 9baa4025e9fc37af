import { type Static, type TSchema, Type } from 'typebox'
import { problemCodes } from '../errors.ts'

/** A reference to a schema that has a name of its own in the OpenAPI document. */
export function ref<S extends TSchema>(schema: S) {
  if (!('$id' in schema)) throw new TypeError('Only a schema with an $id can be referred to')
  return Type.Unsafe<Static<S>>({ $ref: `${schema.$id}#` })
}

/** Bodies and answers list all their members; an unknown one is refused, or never sent. */
export const CLOSED = { additionalProperties: false } as const

export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })

export const Seconds = (description: string) => Type.Integer({ minimum: 0, description })

/** RFC 9457. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri', description: '`urn:keyturn:problem:<code>`' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'For people; programs go by the code.' }),
    code: Type.Enum(problemCodes),
    request_id: Type.String({ description: 'Finds the request in the log.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer (RFC 6901) into the body' }),
          detail: Type.String(),
        }),
      ),
    ),
    attempts_left: Type.Optional(Type.Integer({ minimum: 0 })),
    server_time: Type.Optional(Timestamp),
  },
  { $id: 'Problem', description: 'An error (RFC 9457)' },
)

/** For answers without a body. */
export const NO_CONTENT = Type.Null({ description: 'Done' })

/** Typed so that it is sent as nothing at all: a 202 would carry a `null`. */
export const ACCEPTED = Type.Unsafe<undefined>({ type: 'null', description: 'Taken on' })
