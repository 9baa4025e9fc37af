import { security } from './api.ts'

/** A method and a path of the OpenAPI document: `DELETE /sessions/{id}`. */
export type Operation = keyof typeof security

/** The operation that a request is; `undefined` for what the document does not have. */
export function operationOf(method: string, path: string): Operation | undefined {
  const request = `${method} ${path}`
  const operations = Object.keys(security) as Operation[]
  return operations.find((operation) => operation === request) ?? operations.find((one) => fits(one, request))
}

function fits(operation: string, request: string): boolean {
  const parts = request.split('/')
  const expected = operation.split('/')
  return (
    expected.length === parts.length &&
    expected.every((part, i) => /^\{.+\}$/.test(part) || part === parts[i])
  )
}
