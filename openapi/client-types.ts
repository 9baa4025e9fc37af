import openapiTS from 'openapi-typescript'

/** The types of the client, made from the OpenAPI document. @param json the document. */
export async function clientTypes(json: string): Promise<string> {
  const types = await openapiTS(JSON.parse(json))
  return types.replace(/^\/\*\*.*?\*\/\s*/s, '// Made from openapi/openapi.json by npm run openapi.\n\n')
}
