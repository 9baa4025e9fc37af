// Holds the imports of src/ against the tables of docs/architecture.md: which room may import from which.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { inBackticks, page, tableRows } from './helpers/documents/readme.ts'

const ROOT = new URL('../', import.meta.url)
const GENERATED = 'src/sdk/api.ts'
/** What `npm pack` makes. */
const PACKED = 'src/sdk/dist/'
/** The files that package.json exports. */
const ENTRIES = ['src/index.ts', 'src/verify.ts', 'src/sdk/index.ts']

const IMPORT = /^(?:import|export) (type )?(?:[\w*{},$\s]+? from )?'(\.[^']+)'$/gm
const DYNAMIC_IMPORT = /\bimport\('(\.[^']+)'\)/g
const COMMENT = /\/\*.*?\*\/|(?<![:'])\/\/.*?$/gms

interface Import {
  from: string
  to: string
  /** An import of types is gone at run time. */
  typeOnly: boolean
}

const files = globSync('{src,migrations}/**/*.{ts,js}', { cwd: ROOT }).filter(
  (path) => path !== GENERATED && !path.startsWith(PACKED),
)
const code = new Map(
  files.map((path) => [path, readFileSync(new URL(path, ROOT), 'utf8').replaceAll(COMMENT, '')]),
)

const imports: Import[] = [...code].flatMap(([from, text]) => [
  ...[...text.matchAll(IMPORT)].map(([, type, path = '']) => ({
    from,
    to: join(dirname(from), path),
    typeOnly: type !== undefined,
  })),
  ...[...text.matchAll(DYNAMIC_IMPORT)].map(([, path = '']) => ({
    from,
    to: join(dirname(from), path),
    typeOnly: false,
  })),
])
const atRunTime = imports.filter(({ typeOnly }) => !typeOnly)

const isIn = (path: string, folder: string) => path.startsWith(`${folder}/`)

/** `accounts/` for a file in it or below it, `service.ts` for a file that is in no room. */
function roomOf(path: string): string {
  const [room = '', ...rest] = path.replace(/^src\//, '').split('/')
  return rest.length > 0 ? `${room}/` : room
}

/** The floor of each room. `sdk/` has none. */
const floors = new Map(
  tableRows(page('architecture'), 'The rooms')
    .slice(1)
    .flatMap(([floor, names]) => inBackticks(names).map((name) => [name, Number(floor)] as const)),
)
const floorOf = (path: string) => floors.get(roomOf(path)) ?? Number.NaN
const described = ({ from, to }: Import) => `${from} imports ${to}`

/** A circle of arrows, from a node back to itself; empty when there is none. */
function circleIn(arrows: readonly (readonly [string, string])[]): string[] {
  const next = Map.groupBy(arrows, ([from]) => from)
  const done = new Set<string>()
  const follow = (node: string, way: string[]): string[] => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node]
    if (done.has(node)) return []
    for (const [, to] of next.get(node) ?? []) {
      const circle = follow(to, [...way, node])
      if (circle.length > 0) return circle
    }
    done.add(node)
    return []
  }
  for (const node of next.keys()) {
    const circle = follow(node, [])
    if (circle.length > 0) return circle
  }
  return []
}

/** The two folders of one parent that an import leads between, if it does. */
function betweenFolders({ from, to }: Import): [string, string][] {
  const [a, b] = [from.split('/'), to.split('/')]
  const fork = a.findIndex((name, i) => name !== b[i])
  const areFolders = fork < a.length - 1 && fork < b.length - 1
  return areFolders ? [[a.slice(0, fork + 1).join('/'), b.slice(0, fork + 1).join('/')]] : []
}

t.test('the imports were found', async (t) => {
  t.ok(files.length > 250)
  t.ok(atRunTime.length > 700)
  t.ok(imports.length - atRunTime.length > 300)
  for (const { from, to } of imports) t.ok(files.includes(to) || to === GENERATED, `${from}: ${to}`)
})

t.test('every room has a floor', async (t) => {
  for (const room of new Set(files.map(roomOf))) t.ok(floors.has(room), room)
})

t.test('the drawing has each room on its floor', async (t) => {
  const [house = '', outside = ''] = readFileSync(new URL('docs/pictures/rooms.svg', ROOT), 'utf8').split(
    'Outside',
  )
  const names = (svg: string) => [...svg.matchAll(/class="name".*?>(.*?)</g)].map(([, name = '']) => name)
  const drawn = [...house.matchAll(/<g.*?class="floor".*?>(\d+)<(.*?)<\/g>/gs)].flatMap(
    ([, floor, rooms = '']) => names(rooms).map((name) => [name, Number(floor)]),
  )
  for (const name of names(outside)) drawn.push([name, Number.NaN])
  t.strictSame(drawn, [...floors])
})

t.test('a room imports from lower floors only', async (t) => {
  const strict = floors.get('http/') ?? 0
  const upwards = imports
    .filter(({ from, to }) => roomOf(from) !== roomOf(to) && !(floorOf(to) < floorOf(from)))
    // From the floor of http/ down, types count as well.
    .filter(({ from, typeOnly }) => !(typeOnly && floorOf(from) > strict))
  t.strictSame(upwards.map(described), [])
})

t.test('the folder of a factor is imported by the files that the document names', async (t) => {
  const importers = new Map(
    tableRows(page('architecture'), 'Folders of factors').map(([folder, by]) => [
      inBackticks(folder)[0],
      inBackticks(by),
    ]),
  )
  const outside = imports
    .map(({ from, to }) => ({ from, to, factor: /^src\/(factors\/[^/]+\/)/.exec(to)?.[1] }))
    .filter(({ from, factor }) => factor && !from.startsWith(`src/${factor}`))
  t.ok(outside.length >= 3)
  for (const { from, to, factor } of outside)
    t.ok(
      ['factors/*/', factor].some((name) => importers.get(name)?.includes(from.replace('src/', ''))),
      `${from} imports ${to}`,
    )
})

t.test('no imports lead in a circle', async (t) => {
  t.strictSame(circleIn(imports.map(({ from, to }) => [from, to])), [], 'between files, types counted')
  t.strictSame(circleIn(atRunTime.flatMap(betweenFolders)), [], 'between folders, at run time')
})

t.test('a store is imported in its own room only', async (t) => {
  const stores = imports.filter(({ to }) => /[/-]store\.ts$/.test(to))
  t.ok(stores.length > 10)
  t.strictSame(stores.filter(({ from, to }) => !isIn(from, dirname(to))).map(described), [])
})

t.test('SQL names only tables of its own room', async (t) => {
  const owners = new Map<string, string>()
  for (const [path, text] of code) {
    const [, members = ''] = (path.endsWith('/tables.ts') && /interface Tables \{(.*?)\}/s.exec(text)) || []
    for (const [, table = ''] of members.matchAll(/^ +(\w+):/gm)) owners.set(table, dirname(path))
  }
  t.ok(owners.size > 15)

  const named =
    /(?:\w+From|insertInto|mergeInto|updateTable|\w*[jJ]oin|using|sql\.(?:table|ref|id))\(\s*\[?'(\w+)|\b(?:from|into|update|join|table)\s+"?(\w+)/g
  const uses = [...code].flatMap(([path, text]) =>
    [...text.matchAll(named)]
      .map(([, inBuilder, inText]) => ({ path, table: inBuilder ?? inText ?? '' }))
      .filter(({ table }) => owners.has(table)),
  )
  t.ok(uses.length > 80)
  t.strictSame(
    uses
      .filter(({ path, table }) => isIn(path, 'src') && !isIn(path, owners.get(table) ?? ''))
      .map(({ path, table }) => `${path}: ${table}`),
    [],
  )
})

t.test('an index.ts only re-exports', async (t) => {
  for (const [path, text] of code)
    if (path.endsWith('/index.ts') && isIn(path, 'src') && !ENTRIES.includes(path))
      t.equal(text.replaceAll(/^export (type )?[\w*{},\s]+ from '[^']+'$/gm, '').trim(), '', path)
})

t.test('no file of src is over 300 lines', async (t) => {
  const lengths = files.map((path) => ({
    path,
    lines: readFileSync(new URL(path, ROOT), 'utf8').split('\n').length - 1,
  }))
  t.strictSame(
    lengths.filter(({ lines }) => lines > 300),
    [],
  )
})
