import { type FileHandle, open, rm } from 'node:fs/promises'
import { CommandFailed } from './failures.ts'

/**
 * Writes a new file that only its owner can read. It is on the disk when this returns, and removed when the work
 * fails.
 *
 * @throws {CommandFailed} when the file exists already or cannot be written.
 */
export async function writePrivateFile(
  path: string,
  work: (write: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const file = await openPrivateFile(path)
  try {
    await work(async (text) => {
      // Not write(), which may write only a part without an error.
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

/**
 * Opens a new file that only its owner can read.
 *
 * @throws {CommandFailed} when the file exists already or cannot be written.
 */
export async function openPrivateFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new CommandFailed(`The file ${path} is there already. Name another one.`)
    throw new CommandFailed(`The file ${path} cannot be written: ${message}.`)
  }
}
