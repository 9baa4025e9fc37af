/** The part of JSON Schema that the bodies of this API are written in. */
interface BodySchema {
  type?: unknown
  properties?: Record<string, BodySchema>
  required?: readonly string[]
  anyOf?: readonly BodySchema[]
  description?: string
  'x-trimmed'?: boolean
}

/** Also what cannot be seen. */
const AROUND = /^[\s\p{Cf}]+|(?<![\s\p{Cf}])[\s\p{Cf}]+$/gu

/** Members that may be left out, and have no meaning of their own for `null`. */
function optionalMembers({ properties = {}, required = [] }: BodySchema): string[] {
  const takesNull = ({ type, anyOf = [] }: BodySchema): boolean => type === 'null' || anyOf.some(takesNull)
  return Object.entries(properties)
    .filter(([name, member]) => !required.includes(name) && !takesNull(member))
    .map(([name]) => name)
}

/**
 * Takes out of a body what stands there for nothing: optional members that are `null`, which clients of many languages
 * send for those that they do not set, and blanks around names, which the keyboards of phones add.
 */
export function asMeant(schema: BodySchema, body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  const members = body as Record<string, unknown>
  for (const name of optionalMembers(schema)) if (members[name] === null) delete members[name]
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const value = members[name]
    if (member['x-trimmed'] && typeof value === 'string') members[name] = value.replace(AROUND, '')
    asMeant(member, value)
  }
}

/** The schema as clients see it: with `null` where it is the same as nothing. */
export function withNulls(schema: BodySchema): BodySchema {
  const { anyOf, properties } = schema
  if (anyOf) return { ...schema, anyOf: anyOf.map(withNulls) }
  if (!properties) return schema
  const optional = optionalMembers(schema)
  const members = Object.entries(properties).map(([name, member]) => {
    const { description, ...inner } = withNulls(member)
    const orNull = { ...(description && { description }), anyOf: [inner, { type: 'null' }] }
    return [name, optional.includes(name) ? orNull : withNulls(member)]
  })
  return { ...schema, properties: Object.fromEntries(members) }
}
