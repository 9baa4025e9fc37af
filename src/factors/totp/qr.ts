import { pngOf } from './png.ts'

/** The quiet zone that ISO/IEC 18004 requires, in modules. */
const QUIET_ZONE = 4
const LEVEL = { errorCorrectionLevel: 'M' } as const

/** Loaded by the first code: its files are one in twenty of those that a start would read. */
const library = async () => (await import('qrcode')).default

/** An image for a page or a mail. */
export async function qrPng(text: string): Promise<Buffer> {
  const { modules } = (await library()).create(text, LEVEL)
  const isDark = (row: number, column: number) => modules.get(row, column) === 1
  return pngOf({ size: modules.size, isDark }, { margin: QUIET_ZONE, scale: 6 })
}

export async function qrSvg(text: string): Promise<string> {
  return (await library()).toString(text, { ...LEVEL, margin: QUIET_ZONE, type: 'svg' })
}

/** Black on white in every terminal: themes do not change the 256-colour codes. */
const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m'
const RESET = '\x1b[0m'

/** A QR code of half blocks, two modules in one character: about 50 columns and 25 lines for a key URI. */
export async function qrTerminal(text: string): Promise<string> {
  const { modules } = (await library()).create(text, { errorCorrectionLevel: 'L' })
  const side = modules.size + 2 * QUIET_ZONE
  const dark = (row: number, column: number): boolean => {
    const [y, x] = [row - QUIET_ZONE, column - QUIET_ZONE]
    return y >= 0 && x >= 0 && y < modules.size && x < modules.size && modules.get(y, x) === 1
  }
  const cell = (row: number, column: number): string =>
    [' ', '▀', '▄', '█'][(dark(row, column) ? 1 : 0) + (dark(row + 1, column) ? 2 : 0)] as string

  const lines: string[] = []
  for (let row = 0; row < side; row += 2) {
    const cells = Array.from({ length: side }, (_, column) => cell(row, column))
    lines.push(`${BLACK_ON_WHITE}${cells.join('')}${RESET}`)
  }
  return `${lines.join('\n')}\n`
}
