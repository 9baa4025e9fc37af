import jsQR from 'jsqr'
import { PNG } from 'pngjs'

/** A picture as rows of pixels; true is dark. */
type Modules = boolean[][]

/** Reads a PNG as a phone would: with a decoder that has nothing to do with the encoder. */
export function readPng(png: Buffer): string | undefined {
  const { data, width, height } = PNG.sync.read(png)
  return decode(new Uint8ClampedArray(data), width, height)
}

/** Reads the SVG of runs of modules that the service draws: `M4 4.5h7m1 0h2…` on a white ground. */
export function readSvg(svg: string): string | undefined {
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1])
  const [, runs = ''] = /<path stroke="#000000" d="([^"]+)"/.exec(svg) ?? []
  const modules: Modules = Array.from({ length: side }, () => Array(side).fill(false))
  let [x, y] = [0, 0]
  for (const [, command, first, second] of runs.matchAll(/([Mmh])(-?[\d.]+)(?: ?(-?[\d.]+))?/g)) {
    const [a, b] = [Number(first), Number(second)]
    if (command === 'M') [x, y] = [a, Math.floor(b)]
    else if (command === 'm') [x, y] = [x + a, y + b]
    else for (const end = x + a; x < end; x++) (modules[y] as boolean[])[x] = true
  }
  return readModules(modules)
}

/** RGB of the 256-colour codes that occur: the corners of the colour cube. */
const COLOURS: Record<string, 'dark' | 'light'> = { 16: 'dark', 231: 'light' }

/**
 * Reads a terminal's screen: half blocks in the colours set by escape sequences, and in the terminal's own where
 * none is set.
 */
export function readTerminal(text: string, terminal: 'dark' | 'light'): string | undefined {
  const own = { ink: terminal === 'dark' ? 'light' : 'dark', paper: terminal } as const
  const modules: Modules = []
  for (const line of text.split('\n')) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    if (!/[▀▄█]|\x1b\[/.test(line)) continue
    let { ink, paper }: { ink: 'dark' | 'light'; paper: 'dark' | 'light' } = own
    const [upper, lower]: [boolean[], boolean[]] = [[], []]
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    for (const [token, codes] of line.matchAll(/\x1b\[([\d;]*)m|./gu)) {
      if (codes === undefined) {
        upper.push((token === '▀' || token === '█' ? ink : paper) === 'dark')
        lower.push((token === '▄' || token === '█' ? ink : paper) === 'dark')
        continue
      }
      const [, inkCode] = /38;5;(\d+)/.exec(codes) ?? []
      const [, paperCode] = /48;5;(\d+)/.exec(codes) ?? []
      ink = inkCode ? (COLOURS[inkCode] ?? ink) : own.ink
      paper = paperCode ? (COLOURS[paperCode] ?? paper) : own.paper
    }
    modules.push(upper, lower)
  }
  // What surrounds the code on the screen is the terminal's own ground.
  const margin = Array(4).fill(terminal === 'dark')
  const blank = Array((modules[0]?.length ?? 0) + 8).fill(terminal === 'dark')
  return readModules([blank, ...modules.map((row) => [...margin, ...row, ...margin]), blank])
}

const PIXELS_PER_MODULE = 4

function readModules(modules: Modules): string | undefined {
  const width = (modules[0]?.length ?? 0) * PIXELS_PER_MODULE
  const height = modules.length * PIXELS_PER_MODULE
  const data = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const dark = modules[Math.floor(y / PIXELS_PER_MODULE)]?.[Math.floor(x / PIXELS_PER_MODULE)]
      data.set(dark ? [0, 0, 0, 255] : [255, 255, 255, 255], (y * width + x) * 4)
    }
  return decode(data, width, height)
}

/** A camera app does not try the colours the other way round either. */
function decode(data: Uint8ClampedArray, width: number, height: number): string | undefined {
  return jsQR.default(data, width, height, { inversionAttempts: 'dontInvert' })?.data
}
