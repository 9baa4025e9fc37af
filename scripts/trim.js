// Takes out of node_modules what no run of this checkout reads and npm cannot leave out: tests, documents and source maps
// of packages, the builds of SQLite for other systems and its C source, Playwright's trace viewer, and the C headers of
// the Node.js that comes along. npm calls it after each install; what it removed comes back with the next `npm ci`.
import { readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const UNREAD_FOLDERS = /^(tests?|__tests__|examples?|docs?|bench|benchmarks?)$/
const UNREAD_FILES = /\.(js|cjs|mjs|ts|cts|mts|css)\.map$|^(?!licen[cs]e|notice|copying).*\.md$/i

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))

for (const path of packagesIn(modules)) {
  for (const { name } of entries(path)) if (UNREAD_FOLDERS.test(name)) remove(`${path}/${name}`)
}
for (const entry of entries(modules, { recursive: true }))
  if (entry.isFile() && UNREAD_FILES.test(entry.name))
    remove(`${entry.parentPath ?? entry.path}/${entry.name}`)

const sqlite = `${modules}/better-sqlite3`
for (const { name } of entries(`${sqlite}/prebuilds`))
  if (!(name.startsWith(process.platform) && name.includes(process.arch)))
    remove(`${sqlite}/prebuilds/${name}`)
remove(`${sqlite}/deps`)
remove(`${modules}/playwright-core/lib/vite`)
for (const entry of entries(`${modules}/node/node_modules`))
  if (entry.isDirectory()) remove(`${modules}/node/node_modules/${entry.name}/include`)

/** The folders of all packages, also of those that have a node_modules of their own below another one. */
function packagesIn(folder) {
  return entries(folder)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) =>
      name.startsWith('@')
        ? packagesIn(`${folder}/${name}`)
        : [`${folder}/${name}`, ...packagesIn(`${folder}/${name}/node_modules`)],
    )
}

function entries(path, options = {}) {
  try {
    return readdirSync(path, { withFileTypes: true, ...options })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function remove(path) {
  rmSync(path, { recursive: true, force: true })
}
