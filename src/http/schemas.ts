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
  description: 'Six digits in any script. Blanks, dashes and invisible characters are ignored',
})

/** What a phone adds to a name: blanks around it are cut before it is looked at. */
export const TRIMMED = { 'x-trimmed': true } as const

/** RFC 9457. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      format: 'uri',
      description: '`<issuer>/problems#<code>`, a page that explains the code',
    }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'Can be shown to an end user. Programs should use `code`' }),
    code: Type.Enum(problemCodes),
    request_id: Type.String({ description: 'Identifies the request in the log' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer (RFC 6901) into the body' }),
          code: Type.Enum([...fieldCodes]),
          detail: Type.String({ description: 'Can be shown to an end user' }),
          min: Type.Optional(
            Type.Integer({ description: 'For `too_short`: the minimum number of characters' }),
          ),
          max: Type.Optional(
            Type.Integer({ description: 'For `too_long`: the maximum number of characters' }),
          ),
        }),
      ),
    ),
    attempts_left: Type.Optional(Type.Integer({ minimum: 0 })),
    retry_after: Type.Optional(Seconds('Seconds to wait before the next attempt')),
    server_time: Type.Optional(Timestamp),
    reasons: Type.Optional(
      Type.Array(Type.Enum([...passwordFaultCodes]), {
        description: 'For `password_rejected`: all reasons that apply',
      }),
    ),
    min: Type.Optional(
      Type.Integer({ description: 'For `password_rejected`: the minimum number of characters' }),
    ),
    needs: Type.Optional(Type.Literal('account_token', { description: 'The token that the route requires' })),
    reason: Type.Optional(Type.String({ description: 'Distinguishes the causes of one `code`' })),
  },
  { $id: 'Problem', description: 'An error (RFC 9457)' },
)

/** RFC 6749 section 5.2. */
export const OAuthErrorSchema = Type.Object(
  {
    error: Type.String({
      examples: [...oauthCodes],
      description: 'For limits and overload, the `code` of the corresponding problem',
    }),
    error_description: Type.String(),
  },
  { ...CLOSED, $id: 'OAuthError', description: 'An error, in the format of OAuth (RFC 6749)' },
)

/** Secrets and tokens are not taken from a URL, which logs keep. */
export const NO_QUERY = Type.Object({}, CLOSED)

/** For answers without a body. */
export const NO_CONTENT = Type.Null({ description: 'No content' })

/** Typed as `undefined`, so that nothing is sent: a 202 would otherwise carry a `null`. */
export const ACCEPTED = Type.Unsafe<undefined>({ type: 'null', description: 'Accepted' })
