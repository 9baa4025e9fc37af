import type { Command } from 'commander'
import { print } from '../terminal.ts'

const EXAMPLES = `
Examples:
  keyturn openapi > openapi.json
  keyturn openapi --yaml`

export function registerOpenapi(program: Command): void {
  program
    .command('openapi')
    .description('print the OpenAPI document of the API, as JSON')
    .option('--yaml', 'print YAML instead')
    .addHelpText('after', EXAMPLES)
    .action(async ({ yaml }) => {
      const { openapiDocuments } = await import('../openapi-documents.ts')
      const documents = await openapiDocuments()
      print(yaml ? documents.yaml : documents.json)
    })
}
