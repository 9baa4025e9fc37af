import { Misused } from '../terminal/failures.ts'
import { type FieldName, fieldNames, type ImportRecord } from './record.ts'

/** How the field names of a file map to the names that this service uses. */
export interface FieldMap {
  /** From the names of this service to the names of the file. */
  map: ReadonlyMap<FieldName, string>
  /** Names of the file that are left out. */
  ignore: ReadonlySet<string>
}

/**
 * @param pairs `ours=theirs`
 * @throws {Misused}
 */
export function readFieldMap(pairs: readonly string[], ignore: readonly string[]): FieldMap {
  const map = new Map<FieldName, string>()
  for (const pair of pairs) {
    const [ours = '', ...theirs] = pair.split('=')
    if (!isFieldName(ours) || theirs.join('=') === '')
      throw new Misused(`--map ${pair}: say <ours>=<theirs>, ours being one of ${fieldNames.join(', ')}.`)
    map.set(ours, theirs.join('='))
  }
  return { map, ignore: new Set(ignore) }
}

/** Names of the file that mean nothing here: a misspelled field must not be left out silently. */
export function unknownNames(names: readonly string[], { map, ignore }: FieldMap): string[] {
  const theirs = new Set(map.values())
  return names.filter(
    (name) => !theirs.has(name) && !ignore.has(name) && !(isFieldName(name) && !map.has(name)),
  )
}

export function mapped(row: Readonly<Record<string, unknown>>, { map }: FieldMap): ImportRecord['values'] {
  const values: ImportRecord['values'] = {}
  for (const name of fieldNames) {
    const theirs = map.get(name) ?? name
    if (Object.hasOwn(row, theirs)) values[name] = row[theirs]
  }
  return values
}

function isFieldName(name: string): name is FieldName {
  return fieldNames.includes(name)
}
