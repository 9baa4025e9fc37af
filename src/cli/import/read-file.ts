import type { Readable } from 'node:stream'
import type { CsvError } from 'csv-parse'
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import { isMissing } from '../../platform/packages.ts'
import { CommandFailed, Misused } from '../terminal.ts'
import { type FieldMap, mapped, type ReadRecord, unknownNames } from './fields.ts'

const MAX_RECORD_BYTES = 65_536

/**
 * CSV (RFC 4180) whose first line names the columns. A quote that is not closed swallows what follows it, so a
 * fault ends the reading.
 *
 * @throws {CommandFailed} where the file is not CSV. @throws {Misused} when a column means nothing here.
 */
export async function* readCsv(
  file: Readable,
  fields: FieldMap,
  delimiter: string,
): AsyncGenerator<ReadRecord> {
  const { CsvError, parse } = await loadParser()
  const parser = file.pipe(
    parse({
      bom: true,
      delimiter,
      info: true,
      max_record_size: MAX_RECORD_BYTES,
      skip_empty_lines: true,
      columns(names: string[]) {
        checkColumns(names, fields)
        return names
      },
    }),
  )
  file.on('error', (error) => parser.destroy(error))
  try {
    for await (const { info, record } of parser)
      yield { place: `line ${info.lines}`, values: mapped(record, fields) }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const column = typeof error.column === 'string' ? `, column ${error.column}` : ''
    throw new CommandFailed(`The file is not CSV at line ${error.lines}${column}: ${explain(error)}`)
  }
}

/** @throws {CommandFailed} when the package is not installed. */
function loadParser(): Promise<typeof import('csv-parse')> {
  return import('csv-parse').catch((error) => {
    if (!isMissing(error, 'csv-parse')) throw error
    throw new CommandFailed(
      'Reading CSV needs one more package: npm install csv-parse. JSON Lines need none.',
    )
  })
}

/** The parser's own words may repeat what stands in the file, which may be a secret. */
const FAULTS: Partial<Record<CsvError['code'], string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'something follows a closing quote; inside quotes, a quote is written twice',
  INVALID_OPENING_QUOTE: 'a quote stands within a value that does not begin with one',
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
  CSV_MAX_RECORD_SIZE: `a record has more than ${MAX_RECORD_BYTES} bytes; is a quote not closed?`,
  CSV_RECORD_INCONSISTENT_COLUMNS: 'it has more or fewer values than there are columns',
}

function explain({ code }: CsvError): string {
  return FAULTS[code] ?? code
}

function checkColumns(names: string[], fields: FieldMap): void {
  const unknown = unknownNames(names, fields)
  if (unknown.length > 0)
    throw new Misused(
      `The columns ${unknown.join(', ')} are unknown: say --map <ours>=<theirs>, or --ignore.`,
    )
  const double = names.find((name, index) => names.indexOf(name) !== index)
  if (double !== undefined) throw new CommandFailed(`The file has two columns named ${double}.`)
  const missing = [...fields.map.values()].filter((name) => !names.includes(name))
  if (missing.length > 0)
    throw new Misused(`The file has no column ${missing.join(', ')}; it has ${names.join(', ')}.`)
}

/** Lines as JSON Lines has them: a string may have U+2028 in it, where `readline` would end one. */
async function* linesOf(file: Readable): AsyncGenerator<string> {
  let line = ''
  for await (const chunk of file.setEncoding('utf8')) {
    const [end = '', ...next] = String(chunk).split('\n')
    line += end
    for (const begun of next) {
      yield line
      line = begun
    }
  }
  if (line !== '') yield line
}

/** JSON Lines: an object on each line. Empty lines are skipped. */
export async function* readJsonLines(file: Readable, fields: FieldMap): AsyncGenerator<ReadRecord> {
  let number = 0
  for await (const line of linesOf(file)) {
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
  if (unknown.length > 0) return { place, fault: `unknown: ${unknown.join(', ')}; see --map and --ignore` }
  return { place, values: mapped(value as Record<string, unknown>, fields) }
}
