import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import { type FieldMap, mapped, unknownNames } from './fields.ts'
import type { ReadRecord } from './record.ts'

/** JSON Lines: an object on each line. Empty lines are skipped. */
export async function* readJsonLines(file: Readable, fields: FieldMap): AsyncGenerator<ReadRecord> {
  let number = 0
  for await (const line of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    const text = number === 1 ? line.replace(/^\u{feff}/u, '') : line
    if (text.trim() !== '') yield readLine(text, `line ${number}`, fields)
  }
}

function readLine(text: string, place: string, fields: FieldMap): ReadRecord {
  const faults: ParseError[] = []
  const value: unknown = parse(text, faults, { disallowComments: true })
  const [fault] = faults
  if (fault)
    return {
      place: `${place}, column ${fault.offset + 1}`,
      fault: `not JSON: ${printParseErrorCode(fault.error)}`,
    }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { place, fault: 'not an object' }
  const unknown = unknownNames(Object.keys(value), fields)
  if (unknown.length > 0)
    return { place, fault: `nothing is known of ${unknown.join(', ')}: see --map and --ignore` }
  return { place, values: mapped(value as Record<string, unknown>, fields) }
}
