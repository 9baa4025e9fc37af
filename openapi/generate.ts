import { writeFileSync } from 'node:fs'
import { openapiDocuments } from '../src/operator/openapi-documents.ts'

/** Writes the committed documents anew from the routes; a test compares them with the live ones. */
const { json, yaml } = await openapiDocuments()
writeFileSync(new URL('./openapi.json', import.meta.url), json)
writeFileSync(new URL('./openapi.yaml', import.meta.url), yaml)
