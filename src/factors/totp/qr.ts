import { pngOfSquares } from './png.ts'

/** With the quiet zone that ISO/IEC 18004 requires, in modules. */
const OPTIONS = { margin: 4 } as const

/** What version 14 holds at level M. A longer text is corrected less, so that phones still tell its modules apart. */
const MAX_AT_M = 362
const levelFor = (text: string) => ({ errorCorrectionLevel: text.length > MAX_AT_M ? 'L' : 'M' }) as const

/** Loaded by the first code: its files are one in twenty of those that a start would read. */
const library = async () => (await import('qrcode')).default

/** An image for a page or a mail. */
export async function qrPng(text: string): Promise<Buffer> {
  const { margin } = OPTIONS
  const { modules } = (await library()).create(text, levelFor(text))
  const isModule = (index: number) => index >= 0 && index < modules.size
  return pngOfSquares({ size: modules.size + 2 * margin, scale: 6 }, (x, y) => {
    const [column, row] = [x - margin, y - margin]
    return isModule(column) && isModule(row) && modules.get(row, column) !== 0
  })
}

export async function qrSvg(text: string): Promise<string> {
  return (await library()).toString(text, { ...OPTIONS, ...levelFor(text), type: 'svg' })
}

/** Black on white in every terminal: themes do not change the 256-colour codes. */
const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m'
const RESET = '\x1b[0m'

/** A QR code of half blocks, two modules in one character: about 50 columns and 25 lines for a key URI. */
export async function qrTerminal(text: string): Promise<string> {
  const blocks = await (await library()).toString(text, {
    ...OPTIONS,
    errorCorrectionLevel: 'L',
    type: 'utf8',
  })
  return blocks.replace(/^.*$/gm, `${BLACK_ON_WHITE}$&${RESET}`).concat('\n')
}
