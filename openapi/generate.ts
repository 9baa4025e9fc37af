import { writeFileSync } from 'node:fs'
import { openapiDocuments } from '../src/cli/openapi-documents.ts'
import { clientTypes } from './client-types.ts'

/** Writes the committed documents and the types of the client anew from the routes; tests compare them with the live ones. */
const { json, yaml } = await openapiDocuments()
writeFileSync(new URL('./openapi.json', import.meta.url), json)
writeFileSync(new URL('./openapi.yaml', import.meta.url), yaml)
writeFileSync(new URL('../src/sdk/api.ts', import.meta.url), await clientTypes(json))
