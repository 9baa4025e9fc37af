import { crc32, deflateSync } from 'node:zlib'

/** A square of dark and light modules. */
export interface Modules {
  /** The number of modules on one side. */
  size: number
  isDark(row: number, column: number): boolean
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** One bit for each pixel, grey: 0 is black (PNG, third edition, section 11.2.1). */
const DEPTH_AND_COLOUR = [1, 0]
/** Deflate, adaptive filtering, no interlacing: PNG has no other compression or filter method. */
const METHODS = [0, 0, 0]
const NO_FILTER = 0

/**
 * Draws an image with one bit for each pixel. General encoders draw a QR code with 32 bits for each pixel and try
 * every filter: ten times the work, on the event loop.
 *
 * @param margin the quiet zone, in modules.
 * @param scale pixels on one side of a module.
 */
export function pngOf(modules: Modules, { margin, scale }: { margin: number; scale: number }): Buffer {
  const side = (modules.size + 2 * margin) * scale
  const head = Buffer.alloc(8)
  head.writeUInt32BE(side, 0)
  head.writeUInt32BE(side, 4)
  const light = scanline(side, () => false)
  const rows: Buffer[] = Array(margin * scale).fill(light)
  for (let row = 0; row < modules.size; row += 1) {
    const line = scanline(side, (pixel) => {
      const column = Math.floor(pixel / scale) - margin
      return column >= 0 && column < modules.size && modules.isDark(row, column)
    })
    for (let i = 0; i < scale; i += 1) rows.push(line)
  }
  for (let i = 0; i < margin * scale; i += 1) rows.push(light)

  return Buffer.concat([
    SIGNATURE,
    ...chunk('IHDR', Buffer.concat([head, Buffer.from([...DEPTH_AND_COLOUR, ...METHODS])])),
    ...chunk('IDAT', deflateSync(Buffer.concat(rows))),
    ...chunk('IEND', Buffer.alloc(0)),
  ])
}

function scanline(side: number, isDark: (pixel: number) => boolean): Buffer {
  const bytes = Buffer.alloc(1 + Math.ceil(side / 8), 0xff)
  bytes[0] = NO_FILTER
  for (let pixel = 0; pixel < side; pixel += 1)
    if (isDark(pixel)) {
      const at = 1 + (pixel >> 3)
      bytes[at] = (bytes[at] as number) & ~(0x80 >> (pixel & 7))
    }
  return bytes
}

/** Length, type, data and a CRC of type and data (section 5.3). */
function chunk(type: string, data: Buffer): Buffer[] {
  const [length, named, crc] = [Buffer.alloc(4), Buffer.from(type), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  crc.writeUInt32BE(crc32(data, crc32(named)))
  return [length, named, data, crc]
}
