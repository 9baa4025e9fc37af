import { type FileHandle, open, rm } from 'node:fs/promises'
import { CommandFailed } from './failures.ts'

/**
 * Writes a new file that its owner alone can read; it is on the disk when this returns, and gone when the work fails.
 *
 * @throws {CommandFailed} when there is such a file already, or it cannot be written.
 */
export async function writePrivateFile(
  path: string,
  work: (write: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const file = await openNew(path)
  try {
    await work(async (text) => {
      // Not by write(), which may write a part and be content.
      await file.appendFile(text)
    })
    await file.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new CommandFailed(`The file ${path} is there already. Name another one.`)
    throw new CommandFailed(`The file ${path} cannot be written: ${message}.`)
  }
}
