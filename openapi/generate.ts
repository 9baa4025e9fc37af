import { readFileSync, writeFileSync } from 'node:fs'
import { openapiDocuments } from '../src/cli/openapi-documents.ts'
import { clientTypes } from './client-types.ts'
import { withCodes } from './error-tables.ts'
import { recordExamples } from './recorder/record.ts'

/**
 * Writes the examples, the committed documents, the types of the client and the tables of docs/errors.md from the
 * routes, their answers and the catalogue; tests compare them with the live ones.
 */
const examples = await recordExamples(JSON.parse((await openapiDocuments()).json))
writeFileSync(new URL('../src/api/examples.json', import.meta.url), `${JSON.stringify(examples, null, 2)}\n`)
const { json, yaml } = await openapiDocuments()
writeFileSync(new URL('./openapi.json', import.meta.url), json)
writeFileSync(new URL('./openapi.yaml', import.meta.url), yaml)
writeFileSync(new URL('../src/sdk/api.ts', import.meta.url), await clientTypes(json))
const errors = new URL('../docs/errors.md', import.meta.url)
writeFileSync(errors, withCodes(readFileSync(errors, 'utf8')))
