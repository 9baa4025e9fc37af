// Preloaded into a process that is measured without a piece of the source: CUT says which text of which file is
// replaced by what when it is loaded.
import { registerHooks } from 'node:module'

const { file, from, to } = JSON.parse(process.env.CUT)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(file)) return loaded
    const source = String(loaded.source)
    if (!source.includes(from)) throw new Error(`${file} does not contain ${from}`)
    return { ...loaded, source: source.replace(from, to) }
  },
})
