import { type Static, type TSchema, Type } from 'typebox'
import { fieldCodes, oauthCodes, passwordFaultCodes, problemCodes } from '../errors.ts'

/**
 * A reference to a schema that has a name in the OpenAPI document, its `$id`. The constant of such a schema is called
 * by that name and `Schema`, so that the name itself is free for a type.
 */
export function ref<S extends TSchema>(schema: S) {
  if (!('$id' in schema)) throw new TypeError('Only a schema with an $id can be referred to')
  return Type.Unsafe<Static<S>>({ $ref: `${schema.$id}#` })
}

/**
 * Bodies and answers list all their members. An unknown member of a body is refused, and one of an answer is not
 * sent.
 */
export const CLOSED = { additionalProperties: false } as const

export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })

export const NullableTime = Type.Union([Timestamp, Type.Null()])

export const Seconds = (description: string) => Type.Integer({ minimum: 0, description })

/** Checked by its format before an attempt is counted: what has not six digits is no guess. */
export const NumericCode = Type.String({
  minLength: 1,
  maxLength: 64,
  format: 'numeric-code',
  description: 'Six digits of any script; blanks, dashes and invisible characters are ignored',
})

/** What a phone adds to a name: blanks around it are cut before it is looked at. */
export const TRIMMED = { 'x-trimmed': true } as const

/** RFC 9457. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      format: 'uri',
      description: '`<issuer>/problems#<code>`, a page that says what it means',
    }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'Can be shown to an end user; programs should use `code`' }),
    code: Type.Enum(problemCodes),
    request_id: Type.String({ description: 'Identifies the request in the log' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer (RFC 6901) into the body' }),
          code: Type.Enum([...fieldCodes]),
          detail: Type.String({ description: 'Can be shown to an end user' }),
          min: Type.Optional(Type.Integer({ description: 'Of `too_short`: characters' })),
          max: Type.Optional(Type.Integer({ description: 'Of `too_long`: characters' })),
        }),
      ),
    ),
    attempts_left: Type.Optional(Type.Integer({ minimum: 0 })),
    retry_after: Type.Optional(Seconds('Seconds to wait before the next attempt')),
    server_time: Type.Optional(Timestamp),
    reasons: Type.Optional(
      Type.Array(Type.Enum([...passwordFaultCodes]), {
        description: 'Of `password_rejected`: all that apply',
      }),
    ),
    min: Type.Optional(Type.Integer({ description: 'Of `password_rejected`: characters that it must have' })),
    needs: Type.Optional(Type.Literal('account_token', { description: 'The token that the route takes' })),
    reason: Type.Optional(Type.String({ description: 'Tells the causes of one `code` apart' })),
  },
  { $id: 'Problem', description: 'An error (RFC 9457)' },
)

/** RFC 6749 section 5.2. */
export const OAuthErrorSchema = Type.Object(
  {
    error: Type.String({
      examples: [...oauthCodes],
      description: 'For limits and overload, the `code` of problems',
    }),
    error_description: Type.String(),
  },
  { ...CLOSED, $id: 'OAuthError', description: 'An error, as OAuth clients read it (RFC 6749)' },
)

/** Secrets and tokens are not taken from a URL, which logs keep. */
export const NO_QUERY = Type.Object({}, CLOSED)

/** For answers without a body. */
export const NO_CONTENT = Type.Null({ description: 'No content' })

/** Typed as `undefined`, so that nothing is sent: a 202 would otherwise carry a `null`. */
export const ACCEPTED = Type.Unsafe<undefined>({ type: 'null', description: 'Accepted' })
