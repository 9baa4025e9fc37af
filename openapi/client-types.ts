import openapiTS from 'openapi-typescript'

/** As much of the document as the tokens of its operations need. */
interface SecuredDocument {
  paths: Record<string, Record<string, { security: Record<string, string[]>[] }>>
  components: { securitySchemes: Record<string, object> }
}

/**
 * The source of the client's `api.ts`: the types of the OpenAPI document, and the tokens that each operation takes.
 *
 * @param json the document.
 */
export async function clientTypes(json: string): Promise<string> {
  const document = JSON.parse(json)
  const types = await openapiTS(document)
  const withoutHeader = types.replace(/^\/\*\*.*?\*\/\s*/s, '')
  return `// Made from openapi/openapi.json by npm run openapi.\n\n${withoutHeader}${securityTable(document)}`
}

/** What services show: the client is one of people. */
const OF_SERVICES = ['clientSecret', 'serviceToken']

/** The `security` of each operation as a table that the client reads while it runs. */
function securityTable({ paths, components }: SecuredDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => {
      const operation = `${method.toUpperCase()} ${path}`
      return `  ${JSON.stringify(operation)}: ${JSON.stringify(alternatives(operation, security))},\n`
    }),
  )
  const ofPeople = Object.keys(components.securitySchemes).filter((name) => !OF_SERVICES.includes(name))
  const schemes = ofPeople.map((name) => JSON.stringify(name))
  return `
/** The security schemes of the document. */
export type SecurityScheme = ${schemes.join(' | ')};

/** Which tokens an operation takes: any one of those listed, the first that the client has. */
export const security = {
${operations.join('')}} as const satisfies Record<string, readonly SecurityScheme[]>;
`
}

/** @throws {Error} for a combination of schemes: a request has one `Authorization` header. */
function alternatives(operation: string, security: Record<string, string[]>[]): string[] {
  return security.flatMap((requirement) => {
    const schemes = Object.keys(requirement)
    if (schemes.length > 1) throw new Error(`${operation} asks for ${schemes.join(' and ')} at once`)
    return schemes.filter((name) => !OF_SERVICES.includes(name))
  })
}
